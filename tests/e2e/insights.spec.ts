/** What became of fixes: every share stands with its count and the interval in which it lies. */
import { expect, findAllFixes, openFinding, openSample, test } from "./window";

test("the share of fixes that were taken stands with its count and its interval", async ({ app }) => {
  await openSample(app);
  await findAllFixes(app);
  await openFinding(app, app.getByRole("option").filter({ hasText: "Fix ready" }).first());
  await app.keyboard.press("a");
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("Applied");
  await app.keyboard.press("Escape");
  await expect(app.getByRole("listbox", { name: /findings/ })).toBeFocused();
  await app.keyboard.press("g");
  await app.keyboard.press("n");
  await expect(app.getByRole("heading", { level: 1, name: "Insights" })).toBeVisible();

  const all = app.getByRole("row").filter({ has: app.getByRole("rowheader", { name: "All", exact: true }) });
  await expect(all).toContainText("1 of 1");
  await expect(all).toContainText(/100 % \(\d+ % to 100 %\)/);
  const learned = app.getByRole("region", { name: "What was learned" });
  await expect(learned).toContainText(/1 of 1 right, said 0\.\d\d/);
  // No share is without its count.
  for (const row of await app.getByRole("row").filter({ hasText: "%" }).all()) {
    await expect(row).toContainText(/\d+ of \d+/);
  }
});

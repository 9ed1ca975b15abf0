/** Honesty: a finding without a safe fix says so, says why, and offers nothing to apply. */
import { expect, findAllFixes, openFinding, openSample, test } from "./window";

test("no safe fix is shown as carefully as one", async ({ app }) => {
  await openSample(app);
  await findAllFixes(app);
  await app.getByRole("link", { name: /^No safe fix/ }).click();
  await openFinding(app, app.getByRole("option").first());

  await expect(app.getByText("No safe fix found")).toBeVisible();
  await expect(app.getByRole("heading", { level: 2, name: "Tried" })).toBeVisible();
  const why = app.getByRole("region", { name: "Why none is recommended" });
  await expect(why.getByRole("heading", { name: "What would help most" })).toBeVisible();
  await expect(why.locator("p").first()).not.toBeEmpty();

  await expect(app.getByRole("button", { name: /^Apply/ })).toHaveCount(0);
  await expect(app.getByRole("button", { name: /^Try again/ })).toBeEnabled();
  // The key alone does nothing but say so.
  await app.keyboard.press("a");
  await expect(app.getByRole("status", { name: "Notice" })).not.toContainText("Applied");
  await expect(app.getByText("No safe fix found")).toBeVisible();
});

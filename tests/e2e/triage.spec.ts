/** The main job, by keyboard alone: from the sample's findings to a fix that is applied and taken back. */
import { appendFile, readFile } from "node:fs/promises";
import { expect, fileOfFix, findAllFixes, openFinding, openSample, test } from "./window";

test("a fix is found, applied and undone without a pointer", async ({ app }) => {
  await openSample(app);
  await findAllFixes(app);

  // The first finding with a fix, by the filter and the cursor.
  await app.keyboard.press("Home");
  const current = app.getByRole("option").and(app.locator("[aria-current]"));
  for (let tries = 0; !(await current.textContent())?.includes("Fix ready"); tries += 1) {
    expect(tries).toBeLessThan(50);
    const before = await current.getAttribute("id");
    await app.keyboard.press("j");
    await expect(current).not.toHaveAttribute("id", `${before}`);
  }
  await app.keyboard.press("Enter");
  await expect(app.getByRole("heading", { level: 2, name: "Why believe it" })).toBeVisible();
  await expect(app.getByRole("region", { name: "Fixes" })).toContainText(/recommended/i);

  const file = await fileOfFix(app);
  const before = await readFile(file);

  await app.keyboard.press("a");
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("Applied");
  await expect(app.getByText("Fixed", { exact: true })).toBeVisible();
  expect((await readFile(file)).equals(before)).toBe(false);

  // Until the page has caught up, the key says that one has to wait.
  await expect(app.locator("button[aria-keyshortcuts=u]")).toBeEnabled();
  await app.keyboard.press("u");
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("Taken back");
  await expect(app.getByText("Fix ready", { exact: true })).toBeVisible();
  expect((await readFile(file)).equals(before)).toBe(true);

  await app.keyboard.press("Escape");
  await expect(app.getByRole("listbox", { name: /findings/ })).toBeFocused();
});

test("a file that changed since is refused and left as it is", async ({ app }) => {
  await openSample(app);
  await findAllFixes(app);
  await openFinding(app, app.getByRole("option").filter({ hasText: "Fix ready" }).first());
  const file = await fileOfFix(app);
  await appendFile(file, "\n");
  const changed = await readFile(file);

  // A key works from wherever the focus is, but in text.
  await app.getByRole("region", { name: "Fixes" }).focus();
  await app.keyboard.press("a");
  const notice = app.getByRole("status", { name: "Notice" });
  await expect(notice).toContainText("The fix was not applied");
  await expect(notice).toContainText("Nothing was written");
  await expect(notice.getByRole("button", { name: "Copy detail" })).toBeVisible();
  expect((await readFile(file)).equals(changed)).toBe(true);
});

test("several fixes are shown together before they are applied", async ({ app }) => {
  await openSample(app);
  await findAllFixes(app);
  await app.getByRole("link", { name: /^Fix ready/ }).click();
  await expect(app.getByRole("listbox", { name: /^Fix ready/ })).toBeVisible();
  await app.keyboard.press("Home");
  await app.keyboard.press("Shift+J");
  await app.keyboard.press("x");
  await expect(app.getByRole("complementary")).toContainText("2 findings selected");
  await app.keyboard.press("a");
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("applied");
  await expect(app.getByRole("link", { name: /^Fixed/ })).not.toContainText("0");
});

/** Dismissing: a reason is given, the finding stands apart with it, and is opened again. */
import { faults, overflow } from "./faults";
import { expect, openFinding, openSample, test } from "./window";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("a finding is dismissed with a reason by keys, and opened again", async ({ app }) => {
      await openSample(app);
      await openFinding(app, app.getByRole("option").first());
      await app.keyboard.press("d");
      const dialog = app.getByRole("dialog", { name: "Dismiss" });
      await expect(dialog).toBeVisible();
      await dialog.getByRole("radio", { name: /Used in tests only/ }).check();
      await dialog.getByLabel("In your words").fill("A fixture.");
      expect(await faults(app)).toEqual([]);
      await dialog.getByRole("button", { name: "Dismiss" }).click();
      await expect(dialog).toHaveCount(0);
      await expect(app.getByRole("status", { name: "Notice" })).toContainText("1 finding dismissed");
      await expect(app.getByText(/Dismissed just now/)).toBeVisible();
      await expect(app.getByText("A fixture.")).toBeVisible();
      await expect(app.getByRole("button", { name: /^Open again/ })).toBeEnabled();
      expect(await faults(app)).toEqual([]);
      expect(await overflow(app)).toBeLessThanOrEqual(0);
      await app.keyboard.press("o");
      await expect(app.getByText(/Dismissed just now/)).toHaveCount(0);
      await expect(app.getByRole("button", { name: /^Dismiss/ })).toBeEnabled();
    });
  });
}

test("several are dismissed together and listed apart", async ({ app }) => {
  await openSample(app);
  await app.keyboard.press("Home");
  await app.keyboard.press("Shift+J");
  await app.keyboard.press("x");
  await expect(app.getByRole("complementary")).toContainText("2 findings selected");
  await app.keyboard.press("d");
  await app.getByRole("dialog", { name: "Dismiss" }).getByRole("button", { name: "Dismiss" }).click();
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("2 findings dismissed: false positive");
  await app.getByRole("link", { name: /^Dismissed/ }).click();
  await expect(app.getByRole("option")).toHaveCount(2);
  await expect(app.getByRole("option").first()).toContainText("Dismissed");
  await app.getByRole("status", { name: "Notice" }).getByRole("button", { name: "Undo" }).click();
  await expect(app.getByRole("option")).toHaveCount(0);
});

/** A person's own version of a fix: typed, left with nothing lost, checked, stopped or applied. */
import { readFile } from "node:fs/promises";
import type { Page } from "../../ui/e2e";
import { faults, overflow } from "./faults";
import { expect, fileOfFix, openFinding, openSample, test } from "./window";

/** Opens the finding on the weak hash with the recipe's fix. */
async function openFix(app: Page): Promise<void> {
  await openSample(app);
  await openFinding(app, app.getByRole("option").filter({ hasText: "catalog.py:28" }).first());
  await app.keyboard.press("r");
  await expect(app.getByRole("button", { name: /^Apply fix 1/ })).toBeVisible({ timeout: 60_000 });
}

const actions = (app: Page) => app.getByRole("group", { name: "Actions" });

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("a fix is edited, left, found again, checked and applied", async ({ app }) => {
      await openFix(app);
      const file = await fileOfFix(app);
      const before = await readFile(file, "utf8");
      await app.keyboard.press("e");
      const pad = app.getByRole("textbox", { name: /^Your version of / });
      await expect(pad).toBeFocused();
      await expect(actions(app).getByRole("button", { name: /^Check it/ })).toHaveAttribute("aria-disabled", "true");
      expect.soft(await faults(app)).toEqual([]);
      expect.soft(await overflow(app)).toBeLessThanOrEqual(0);

      // It opens where the fix begins; a line that is begun stands as far in as the one before.
      await app.keyboard.press("End");
      await app.keyboard.press("Enter");
      await app.keyboard.type("# mine");
      const typed = await pad.inputValue();
      expect(typed).toMatch(/^ +# mine$/m);
      await app.keyboard.press("Escape");
      await expect(actions(app).getByRole("button", { name: /^Go on editing/ })).toBeVisible();
      await app.keyboard.press("e");
      await expect(pad).toHaveValue(typed);

      await app.keyboard.press("Control+Enter");
      const fixes = app.getByRole("radiogroup", { name: "Fixes" });
      await expect(fixes.getByRole("radio")).toHaveCount(2, { timeout: 60_000 });
      await expect(app.getByText("Edited by hand", { exact: true })).toBeVisible();
      await expect(app.getByRole("region", { name: /^Change of / })).toContainText("# mine");
      expect(await readFile(file, "utf8"), "checking writes nothing").toBe(before);
      await actions(app)
        .getByRole("button", { name: /^Apply fix/ })
        .click();
      await expect(actions(app).getByRole("button", { name: /^Undo/ })).toBeVisible();
      expect(await readFile(file, "utf8")).toBe(typed);
      await app.keyboard.press("u");
      await expect(actions(app).getByRole("button", { name: /^Edit/ })).toBeVisible();
      expect(await readFile(file, "utf8")).toBe(before);
    });

    test("what no fix may do is stopped, and says so", async ({ app }) => {
      await openFix(app);
      await app.keyboard.press("e");
      const pad = app.getByRole("textbox", { name: /^Your version of / });
      await pad.fill(`${await pad.inputValue()}\nbroken = (\n`);
      await app.keyboard.press("Control+Enter");
      await expect(app.getByRole("status", { name: "Notice" })).toContainText("checked, and stopped", {
        timeout: 60_000,
      });
      await expect(app.getByRole("radiogroup", { name: "Fixes" })).toContainText("Stopped");
      await expect(app.getByRole("heading", { name: "Problem" })).toBeVisible();
      await expect(actions(app).getByRole("button", { name: /^Apply fix/ })).toHaveCount(0);
    });
  });
}

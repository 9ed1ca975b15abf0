/** The plan of many runs: what it says before anything is sent, how it is narrowed, and that it is what runs. */
import type { Page } from "../../ui/e2e";
import { faults, overflow } from "./faults";
import { expect, openSample, runPlan, test } from "./window";

/** Nobody is at this address, and a plan asks nobody. */
const HOSTED = {
  name: "Hosted",
  base_url: "http://192.0.2.1:9/v1",
  model: "large:1b",
  may_send_code: true,
  price: { input: 3, output: 15 },
};

function planned(app: Page) {
  return app.getByRole("list", { name: "Would be run" }).getByRole("button");
}

test("all open findings are planned, narrowed and run by keys alone", async ({ app }) => {
  await openSample(app);
  await app.keyboard.press("Shift+R");
  await expect(app.getByRole("heading", { level: 1, name: "Plan" })).toBeVisible();
  await expect(app.getByRole("button", { name: /^Run [1-9]/, disabled: false })).toBeVisible();
  const all = await planned(app).count();
  expect(all).toBeGreaterThan(3);
  await expect(planned(app).first()).toHaveAttribute("aria-pressed", "true");
  await app.keyboard.press("j");
  await expect(planned(app).nth(1)).toHaveAttribute("aria-pressed", "true");

  await app.keyboard.press("m");
  const most = app.getByLabel("At most");
  await expect(most).toBeFocused();
  await most.fill("none");
  await expect(app.getByRole("alert")).toContainText("A number of findings");
  await expect(app.getByRole("button", { name: /^Run/ })).toBeDisabled();
  await most.fill("2");
  await app.keyboard.press("Escape");
  await expect(planned(app)).toHaveCount(2);
  await expect(app.getByRole("list", { name: "Not run" })).toContainText("It comes after the 2 that were asked for.");

  await runPlan(app);
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("2 runs started");
  await expect(app.getByRole("contentinfo", { name: "Status" })).toContainText("Nothing running", { timeout: 120_000 });
  await expect(app.getByRole("button", { name: new RegExp(`^Find fixes for all ${all - 2}`) })).toBeVisible();
});

test("only the selected ones are planned, and the plan can be left", async ({ app }) => {
  await openSample(app);
  await app.keyboard.press("Home");
  await app.keyboard.press("Shift+J");
  await app.keyboard.press("x");
  await expect(app.getByRole("complementary")).toContainText("2 findings selected");
  await app.keyboard.press("r");
  await expect(planned(app)).toHaveCount(2);
  await app.keyboard.press("Escape");
  await expect(app.getByRole("listbox")).toBeVisible();
  await expect(app.getByRole("contentinfo", { name: "Status" })).toContainText("Nothing running");
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`with a model that costs, ${colorScheme}`, () => {
    test.use({ settings: { models: [HOSTED] }, colorScheme });

    test("what it costs is said, and a budget holds", async ({ app }) => {
      await openSample(app);
      await app.keyboard.press("Shift+R");
      await expect(planned(app).first()).toContainText(/\$0\.\d+ to \$0\.\d+/);
      await expect(app.getByRole("region", { name: "Who would be asked" })).toContainText("Hosted");
      await app.keyboard.press("b");
      await app.getByLabel("Budget").fill("0.20");
      await expect(app.getByRole("list", { name: "Not run" })).toContainText(/of the budget is left/);
      for (const viewport of [
        { width: 1440, height: 900 },
        { width: 800, height: 640 },
        { width: 720, height: 450 },
      ]) {
        await app.setViewportSize(viewport);
        expect.soft(await faults(app), `${viewport.width}`).toEqual([]);
        expect.soft(await overflow(app), `${viewport.width}`).toBeLessThanOrEqual(0);
      }
    });
  });
}

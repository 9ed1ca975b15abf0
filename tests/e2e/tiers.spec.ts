/** Tiers: set for all projects and for one, what a project inherits, and that it is what the plan says then. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { faults, overflow } from "./faults";
import { expect, openSample, test } from "./window";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("a project has a tier of its own, inherits the others, and gives it back", async ({ app, folder }) => {
      const settings = async () => JSON.parse(await readFile(join(folder, "data/settings.json"), "utf8"));
      await openSample(app);
      await app.getByRole("link", { name: "Models and keys" }).click();
      await app.keyboard.press("p");
      const tiers = app.getByRole("region", { name: "How much effort findings get" });
      // The project that is looked at comes first.
      const scope = tiers.getByLabel("Holds for");
      await expect(scope.locator("option:checked")).not.toHaveText("all projects");
      await expect(tiers.getByRole("button", { name: /^Critical 5 seats 120 s/ })).toContainText("as for all projects");
      await scope.selectOption("all projects");
      await expect(tiers.getByRole("button", { name: /^Critical/ })).toContainText(
        /5 seats.*120 s.*\$1\.50.*as shipped/,
      );

      await tiers.getByRole("button", { name: /^High/ }).click();
      const high = app.getByRole("form", { name: "Tier for high findings" });
      await high.getByLabel("Time").fill("0");
      await expect(app.getByRole("alert")).toContainText("1 to 3600");
      await expect(high.getByRole("button", { name: /^Save/ })).toBeDisabled();
      await high.getByLabel("Time").fill("90");
      await high.getByRole("button", { name: "Save for all projects" }).click();
      await expect(tiers.getByRole("button", { name: /^High/ })).toContainText(/90 s.*set by you/);

      const project = await scope.locator("option").nth(1).textContent();
      await scope.selectOption(`${project}`);
      await expect(tiers.getByRole("button", { name: /^High/ })).toContainText(/90 s.*as for all projects/);
      await tiers.getByRole("button", { name: /^High/ }).click();
      await high.getByRole("button", { name: "Remove seat 3" }).click();
      await high.getByLabel("Asked").selectOption("One model, once for each seat");
      expect.soft(await faults(app)).toEqual([]);
      expect.soft(await overflow(app)).toBeLessThanOrEqual(0);
      await high.getByRole("button", { name: `Save for ${project}` }).click();
      await expect(tiers.getByRole("button", { name: /^High/ })).toContainText(/2 seats.*set for this project/);
      await expect(tiers.getByRole("button", { name: /^Critical/ })).toContainText("as for all projects");
      const [own] = Object.values((await settings()).project_tiers) as { high: unknown }[];
      expect(own?.high).toMatchObject({
        seats: ["deep_reasoning", "pattern_matching"],
        analysis_s: 90,
        mode: "samples",
      });

      await high.getByRole("button", { name: "As for all projects" }).click();
      await expect(tiers.getByRole("button", { name: /^High/ })).toContainText(/3 seats.*as for all projects/);
      expect((await settings()).project_tiers).toBeUndefined();
    });
  });
}

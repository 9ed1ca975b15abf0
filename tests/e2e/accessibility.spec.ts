/** Every screen in both themes, wide and narrow: no serious fault, nothing cut off, everything within reach of keys. */
import { resolve } from "node:path";
import { faults, overflow } from "./faults";
import { expect, findAllFixes, openFinding, openSample, test } from "./window";

const EXAMPLE = resolve(import.meta.dirname, "../fixtures/config/example.yaml");

const SIZES = {
  wide: { width: 1440, height: 900 },
  narrow: { width: 800, height: 640 },
  // A window of 1440 by 900 at 200 %.
  zoomed: { width: 720, height: 450 },
};

for (const colorScheme of ["light", "dark"] as const) {
  for (const [name, viewport] of Object.entries(SIZES)) {
    test.describe(`${colorScheme}, ${name}`, () => {
      test.use({ colorScheme, viewport });

      test("no screen has a serious fault", async ({ app }) => {
        const check = async (screen: string) => {
          expect.soft(await faults(app), screen).toEqual([]);
          expect.soft(await overflow(app), screen).toBeLessThanOrEqual(0);
        };
        await expect(app.getByRole("heading", { level: 1 })).toBeVisible();
        await check("welcome");
        await openSample(app);
        await check("inbox");
        await findAllFixes(app);
        await app.keyboard.press("x");
        await check("inbox with a selection");
        await app.keyboard.press("Escape");
        await app.keyboard.press("i");
        await check("inbox with its scans");
        await app.keyboard.press("Escape");

        await openFinding(app, app.getByRole("option").filter({ hasText: "Fix ready" }).first());
        await expect(
          app.getByRole("group", { name: "Actions" }).getByRole("button", { name: /^Apply fix/ }),
        ).toBeVisible();
        for (const column of ["fixes", "why", "problem"]) {
          await check(`finding, ${column}`);
          await app.keyboard.press("v");
        }
        await app.keyboard.press("Escape");
        await openFinding(app, app.getByRole("option").filter({ hasText: "No safe fix found" }).first());
        await check("no safe fix");

        await app.keyboard.press("w");
        await expect(app.getByRole("dialog", { name: "What would be sent" })).toBeVisible();
        await check("preview");
        await app.keyboard.press("Escape");
        await app.getByRole("link", { name: "Runs" }).click();
        await expect(app.getByRole("heading", { name: "Ended" })).toBeVisible();
        await check("runs");
        await app.keyboard.press("j");
        await expect(app.getByRole("heading", { name: "What it brought" })).toBeVisible();
        await check("a run that ended");
        await app.getByRole("link", { name: "Policy" }).click();
        const rule = app.getByRole("button", { name: /only-the-person-writes/ });
        await rule.click();
        await check("policy");
        await app.keyboard.press("e");
        await expect(app.getByLabel("Your rules")).toBeFocused();
        await check("policy, edited");
        await app.getByRole("button", { name: "Close without saving" }).click();
        await app.getByRole("link", { name: "Models and keys" }).click();
        await expect(app.getByRole("heading", { level: 1, name: "Models and keys" })).toBeVisible();
        await check("models and keys");
        await app.keyboard.press("a");
        await expect(app.getByRole("heading", { name: "What do you want to add?" })).toBeVisible();
        await check("what to add");
        await app.getByRole("button", { name: /^An API/ }).click();
        await expect(app.getByRole("form", { name: "Add a model" })).toBeVisible();
        await app.getByRole("radio").first().check();
        await app.getByText("Headers, and how many at a time").click();
        await app.getByRole("button", { name: "Add a header" }).click();
        await check("an API to add");
        await app.keyboard.press("Escape");
        await app.getByRole("button", { name: /^A set of hosted models/ }).click();
        await expect(app.getByRole("region", { name: "Sets of models" })).toBeVisible();
        await check("a set to add");
        await app.keyboard.press("Escape");
        await app.keyboard.press("i");
        await app.getByLabel("File").fill(EXAMPLE);
        await check("a configuration to choose");
        await app.keyboard.press("Enter");
        await expect(app.getByRole("region", { name: "What it would change" })).toContainText("What to know");
        await check("what a configuration would change");
        await app.getByRole("button", { name: /^Import/ }).click();
        await expect(app.getByRole("button", { name: /claude_cli/ })).toBeVisible();
        await app.keyboard.press("Shift+T");
        await expect(app.getByRole("status", { name: "Notice" })).toContainText("of 3 models");
        await check("models and keys, tested");
        await app.keyboard.press("Escape");
        await app.keyboard.press("s");
        await expect(app.getByRole("form", { name: "Health" })).toBeVisible();
        await check("health");
        await app.keyboard.press("Escape");
        await app.keyboard.press("m");
        await expect(app.getByRole("form", { name: "Money" })).toBeVisible();
        await check("money");
        await app.keyboard.press("Escape");
        await app.keyboard.press("x");
        await expect(app.getByRole("heading", { name: "Toolbox" })).toBeVisible();
        await check("toolbox");
        await app.keyboard.press("Escape");

        await app.keyboard.press("g");
        await app.keyboard.press("n");
        await expect(app.getByRole("heading", { level: 1, name: "Insights" })).toBeVisible();
        await expect(app.getByRole("heading", { name: "What was learned" })).toBeVisible();
        await check("insights");

        await app.keyboard.press("?");
        await expect(app.getByRole("dialog", { name: "Keys" })).toBeVisible();
        await check("keys");
        await app.keyboard.press("Escape");
        await app.keyboard.press("Control+k");
        await app.keyboard.type("machine");
        await check("palette");
        await app.keyboard.press("Enter");
        await expect(app.getByRole("heading", { level: 1, name: "This machine" })).toBeVisible();
        await check("this machine");
      });
    });
  }
}

test("the tab key reaches every control of a finding and shows where it is", async ({ app }) => {
  await openSample(app);
  await findAllFixes(app);
  await app.getByRole("option").filter({ hasText: "Fix ready" }).first().dblclick();
  await expect(app.getByRole("button", { name: /^Apply fix/ })).toBeVisible();
  const controls = await app.evaluate(
    () =>
      [...document.querySelectorAll<HTMLElement>("a[href], button, input, [tabindex='0']")].filter(
        (control) => control.checkVisibility() && control.tabIndex >= 0 && !control.hasAttribute("disabled"),
      ).length,
  );
  const reached = new Set<string>();
  for (let press = 0; press < controls + 5; press += 1) {
    await app.keyboard.press("Tab");
    const seen = await app.evaluate(() => {
      const at = document.activeElement;
      if (at === null || at === document.body) return null;
      const styles = [at, at.closest("label") ?? at].map((element) => getComputedStyle(element));
      return {
        name: at.outerHTML.slice(0, 120),
        ring: styles.map((style) => style.boxShadow + style.outlineStyle).join(""),
      };
    });
    if (seen === null) continue;
    reached.add(seen.name);
    expect(seen.ring, seen.name).not.toBe("nonenonenonenone");
  }
  // A group of radio buttons is one stop.
  expect(reached.size).toBeGreaterThan(controls / 2);
});

test("single-letter keys can be turned off", async ({ app }) => {
  await openSample(app);
  await app.keyboard.press("?");
  await app.getByRole("button", { name: "Turn them off" }).click();
  await app.keyboard.press("Escape");
  await app.keyboard.press("/");
  await expect(app.getByLabel("Filter findings")).not.toBeFocused();
  await app.keyboard.press("Control+k");
  await expect(app.getByRole("dialog", { name: "Go to, or do" })).toBeVisible();
});

test("the theme follows the system until one is chosen, and the choice stays", async ({ app }) => {
  const background = () => app.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await expect(app.getByRole("heading", { level: 1 })).toBeVisible();
  await app.emulateMedia({ colorScheme: "light" });
  const light = await background();
  await app.emulateMedia({ colorScheme: "dark" });
  const dark = await background();
  expect(dark).not.toBe(light);
  await app.keyboard.press("Control+k");
  await app.keyboard.type("theme");
  await app.keyboard.press("Enter");
  await expect.poll(background).toBe(light);
  await app.reload();
  await expect.poll(background).toBe(light);
});

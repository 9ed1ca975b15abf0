/** Two fixes beside each other: by key and by pointer, and back to one; and the word on a project's own code. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "../../ui/e2e";
import { faults, overflow } from "./faults";
import { ModelServer } from "./model-server";
import { test as base, expect, openFinding, openSample } from "./window";

const test = base.extend<{ server: ModelServer }>({
  // Playwright wants to see which fixtures it needs: none.
  // oxlint-disable-next-line no-empty-pattern
  server: async ({}, give) => {
    const server = await ModelServer.start();
    await give(server);
    await server.stop();
  },
  settings: async ({ server }, give) =>
    give({ models: [{ name: "Local", base_url: `${server.origin}/v1`, model: "small:1b" }] }),
});

/** Another way to make the entity tag than the recipe's, in the form that small models are asked for. */
const ANSWER = {
  explanation: "BLAKE2 is made for this.",
  edits: [{ search: "hashlib.md5(body)", replace: "hashlib.blake2b(body)" }],
};

/** Opens the finding on the weak hash with the recipe's fix and the model's. */
async function openChoice(app: Page, server: ModelServer): Promise<void> {
  server.answer = JSON.stringify(ANSWER);
  await openSample(app);
  await openFinding(app, app.getByRole("option").filter({ hasText: "catalog.py:28" }).first());
  await app.keyboard.press("r");
  await expect(app.getByRole("radiogroup", { name: "Fixes" })).toBeVisible({ timeout: 60_000 });
}

test("any two fixes are compared, and one alone is shown again", async ({ app, server }) => {
  await openChoice(app, server);
  await app.keyboard.press("c");
  await expect(app.getByRole("heading", { level: 2, name: "Fix 1" })).toBeVisible();
  await expect(app.getByRole("heading", { level: 2, name: "Fix 2" })).toBeVisible();
  const apart = app.getByRole("region", { name: "What tells them apart" });
  await expect(apart.getByRole("row", { name: /^Parses/ })).toContainText(/pass/i);
  await expect(apart.getByRole("row", { name: /^By/ })).toContainText("Local");

  expect(await faults(app)).toEqual([]);
  expect(await overflow(app)).toBeLessThanOrEqual(0);

  // The other way round: the one beside takes the place of the chosen one.
  await app.keyboard.press("2");
  await expect(app.locator("#problem")).toHaveText("Fix 2");
  await expect(app.locator("#fixes")).toHaveText("Fix 1");

  await app.keyboard.press("Escape");
  await expect(app.getByRole("heading", { level: 2, name: "Why believe it" })).toBeVisible();
  // Seats that nobody takes are named, and counted.
  const why = app.getByRole("region", { name: "Why believe it" });
  await expect(why).toContainText(/1 of [2-9] model seats answered/);
});

test("a project’s own code runs by the person’s word, which can be changed and taken back", async ({
  app,
  server,
  folder,
}) => {
  await openChoice(app, server);
  const why = app.getByRole("region", { name: "Why believe it" });
  // Conclave wrote the sample itself.
  await expect(why).toContainText("Its build and its tests run on a copy");
  await why.getByRole("button", { name: "Revoke" }).click();
  await expect(why).toContainText("they wait for your word");
  await why.getByRole("button", { name: "Edit commands" }).click();
  const form = app.getByRole("form", { name: "Commands" });
  await form.getByLabel("Tests", { exact: true }).selectOption("This one");
  await form.getByLabel("Tests command").fill("python3 -m unittest -q");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(why.getByText("python3 -m unittest -q")).toBeVisible();
  await why.getByRole("button", { name: "Agree" }).click();
  await expect(why).toContainText("Its build and its tests run on a copy");
  const settings = JSON.parse(await readFile(join(folder, "data/settings.json"), "utf8"));
  expect(Object.values(settings.commands)).toEqual([{ agreed: true, test: ["python3", "-m", "unittest", "-q"] }]);
});

/** Runs, live: what a model says while it says it, the checks of a fix, and the end, with no question asked meanwhile. */
import { faults } from "./faults";
import { ModelServer } from "./model-server";
import { test as base, expect, findAllFixes, openFinding, openSample } from "./window";

const test = base.extend<{ server: ModelServer }>({
  // Playwright wants to see which fixtures it needs: none.
  // oxlint-disable-next-line no-empty-pattern
  server: async ({}, give) => {
    const server = await ModelServer.start();
    // It says what the test says, when the test says it.
    server.answer = undefined;
    await give(server);
    await server.stop();
  },
  settings: async ({ server }, give) =>
    give({ models: [{ name: "Local", base_url: `${server.origin}/v1`, model: "small:1b" }] }),
});

test("what a model says is on its lane while it says it, and cancelling ends the run", async ({ app, server }) => {
  await openSample(app);
  await openFinding(app, app.getByRole("option").first());
  await app.keyboard.press("r");
  await app.getByRole("link", { name: "Watch it over time" }).click();
  await expect(app.getByRole("heading", { level: 1, name: "Runs" })).toBeVisible();
  const lanes = app.getByRole("list", { name: "Lanes" });
  await expect(lanes.getByRole("button", { name: /Local/ })).toBeVisible();
  await expect(app.getByRole("list", { name: "Stages" })).toContainText("Ask");

  const words = app.locator("pre[aria-label='What Local says']");
  await expect(words).toContainText("Nothing yet");
  await expect.poll(() => server.speaking).toBe(1);
  server.say('{"root_cause": "the name ');
  await expect(words).toContainText("the name");
  server.say("comes from outside");
  await expect(words).toHaveText('{"root_cause": "the name comes from outside');
  await expect(lanes).toContainText("43 characters");
  expect(await faults(app)).toEqual([]);

  await app.keyboard.press("x");
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("Run cancelled");
  const list = app.getByRole("group", { name: "List of runs" });
  await expect(list.getByRole("heading", { name: "Ended" })).toBeVisible();
  await expect(app.getByRole("region", { name: "Run", exact: true })).toContainText("It ended without a result");
});

base("runs that have ended show their checks, and keys lead through them", async ({ app }) => {
  await openSample(app);
  await app.keyboard.press("g");
  await app.keyboard.press("r");
  await expect(app.getByText("Nothing is under way")).toBeVisible();
  await app.keyboard.press("g");
  await app.keyboard.press("i");
  await findAllFixes(app);
  await app.keyboard.press("g");
  await app.keyboard.press("r");
  const list = app.getByRole("group", { name: "List of runs" });
  await expect(list.getByRole("heading", { name: "Ended" })).toBeVisible();
  const first = list.getByRole("button").first();
  await expect(first).toHaveAttribute("aria-pressed", "true");
  await app.keyboard.press("j");
  await expect(list.getByRole("button").nth(1)).toHaveAttribute("aria-pressed", "true");

  const run = app.getByRole("region", { name: "Run", exact: true });
  await expect(run.getByRole("list", { name: "Stages" })).toContainText("Check on a copy");
  await expect(run.getByRole("heading", { name: "What it brought" })).toBeVisible();
  await expect(run.getByRole("heading", { name: /^Checks of fix 1/ })).toBeVisible();

  const title = await run.getByRole("heading", { level: 2 }).first().textContent();
  await app.keyboard.press("Enter");
  await expect(app.getByRole("heading", { level: 1 })).toHaveText(`${title}`);
});

base("a run that is over has its line still when the window is opened anew", async ({ app }) => {
  await openSample(app);
  await openFinding(app, app.getByRole("option").filter({ hasText: "catalog.py:28" }).first());
  await app.keyboard.press("r");
  const watch = app.getByRole("link", { name: "See it over time" });
  await expect(watch).toBeVisible({ timeout: 60_000 });
  await app.reload();
  await watch.click();
  const run = app.getByRole("region", { name: "Run", exact: true });
  await expect(run.getByRole("list", { name: "Stages" })).toContainText("Check on a copy");
  await expect(run.getByRole("list", { name: "Lanes" })).toContainText("Fix 1");
  await expect(run.getByRole("heading", { name: "What it brought" })).toBeVisible();
  await expect(app.getByRole("heading", { name: "Earlier" })).toBeVisible();
});

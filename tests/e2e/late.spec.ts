/** An answer that comes after the time for analysis is taken while checks run, and is marked as late. */
import { ModelServer } from "./model-server";
import { test as base, expect, openFinding, openSample } from "./window";

const test = base.extend<{ server: ModelServer }>({
  // Playwright wants to see which fixtures it needs: none.
  // oxlint-disable-next-line no-empty-pattern
  server: async ({}, give) => {
    const server = await ModelServer.start();
    server.answer = undefined;
    await give(server);
    await server.stop();
  },
  settings: async ({ server }, give) =>
    give({
      models: [{ name: "Local", base_url: `${server.origin}/v1`, model: "small:1b" }],
      tiers: { high: { seats: ["fast"], analysis_s: 1 } },
    }),
});

const ANSWER = {
  explanation: "BLAKE2 is made for this.",
  edits: [{ search: "hashlib.md5(body)", replace: "hashlib.blake2b(body)" }],
};

test("who answers late is taken while others are checked, and says so", async ({ app, server }) => {
  // Nobody judges: that would be another question to the same model.
  server.answerTo = ({ body }) => (body.includes("faults_a") ? "{}" : undefined);
  await openSample(app);
  await openFinding(app, app.getByRole("option").filter({ hasText: "catalog.py:28" }).first());
  await app.keyboard.press("r");
  await expect.poll(() => server.speaking).toBe(1);
  await app.getByRole("link", { name: "Watch it over time" }).click();
  const run = app.getByRole("region", { name: "Run", exact: true });
  // The recipe's fix is built and tested on a copy, which takes its time.
  await expect(run.getByRole("list", { name: "Stages" })).toContainText("Check on a copy");
  server.finish(JSON.stringify(ANSWER));
  await expect(run.getByRole("heading", { name: "What it brought" })).toBeVisible({ timeout: 90_000 });
  const seat = run.getByRole("listitem").filter({ hasText: "Efficiency" });
  await expect(seat).toContainText("Late: after the time for analysis");
  await expect(seat).toContainText("Proposed");
});

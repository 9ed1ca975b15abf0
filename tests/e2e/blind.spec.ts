/** Two configurations compared: what it takes, choices made blind by keys alone, and what came out. */
import { faults, overflow } from "./faults";
import { ModelServer } from "./model-server";
import { test as base, expect, openSample } from "./window";

const test = base.extend<{ server: ModelServer }>({
  // Playwright wants to see which fixtures it needs: none.
  // oxlint-disable-next-line no-empty-pattern
  server: async ({}, give) => {
    const server = await ModelServer.start();
    await give(server);
    await server.stop();
  },
  settings: async ({ server }, give) =>
    give({
      models: [{ name: "Zephyrine", base_url: `${server.origin}/v1`, model: "small:1b" }],
      deliberation: { on: false },
    }),
});

test("two changes are chosen between without knowing whose they are, and then it is said", async ({ app, server }) => {
  server.answer = JSON.stringify({ explanation: "It is not needed.", edits: [] });
  await openSample(app);
  await app.keyboard.press("g");
  await app.keyboard.press("n");
  await app.getByRole("button", { name: "Compare…" }).click();
  await expect(app.getByRole("heading", { level: 1, name: "Compare" })).toBeVisible();
  await app.getByLabel("The other").selectOption("panel");
  await expect(app.getByText("Choose two that differ.")).toBeVisible();
  await app.getByLabel("The other").selectOption("single");
  await app.getByLabel("Findings").fill("3");
  await app.getByRole("heading", { level: 1, name: "Compare" }).click();
  await expect(app.getByText("3 findings, each run by both.")).toBeVisible({ timeout: 60_000 });
  expect(server.asked.filter((path) => path.includes("chat"))).toEqual([]);
  expect(await faults(app)).toEqual([]);

  await app.getByRole("button", { name: /^Begin/, disabled: false }).click();
  const left = app.getByRole("region", { name: "Left" });
  await expect(left).toBeVisible({ timeout: 120_000 });
  const main = app.getByRole("main");
  await expect(main).not.toContainText(/Zephyrine|small:1b|Recipe |0\.\d\d/);
  expect(await faults(app)).toEqual([]);
  expect(await overflow(app)).toBeLessThanOrEqual(0);

  // For the third of them nobody has a fix, so there is nothing to choose.
  await expect(main).toContainText("2 pairs left");
  await app.keyboard.press("1");
  await expect(main).toContainText("1 pair left");
  await app.keyboard.press("n");
  const report = app.getByRole("region", { name: "What came out" });
  await expect(report).toContainText("n = 1");
  await expect(report).toContainText("neither 1");
  await expect(report).toContainText("Wilson score interval, 95 %");
  await expect(report.getByRole("row", { name: /^Cost/ })).toContainText("question");
  expect(await faults(app)).toEqual([]);
  expect(await overflow(app)).toBeLessThanOrEqual(0);
});

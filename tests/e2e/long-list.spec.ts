/** A list longer than a page: rows come as they come into sight, and few of them exist at a time. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, openSample, test } from "./window";

const RESULTS = 1_600;

test("the last of many findings is reached by key, and the filter finds one", async ({ app, folder }) => {
  const path = join(folder, "many.sarif");
  const results = Array.from({ length: RESULTS }, (_, index) => ({
    ruleId: "many",
    level: "note",
    message: { text: `result number ${String(index).padStart(4, "0")} of many` },
    locations: [{ physicalLocation: { artifactLocation: { uri: `many/file${index}.txt` }, region: { startLine: 1 } } }],
  }));
  await writeFile(path, JSON.stringify({ version: "2.1.0", runs: [{ tool: { driver: { name: "many" } }, results }] }));
  await openSample(app);
  await app.evaluate((dropped) => window.conclaveDrop?.({ kind: "drop", paths: [dropped] }), path);
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("1,600 results", { timeout: 60_000 });

  const list = app.getByRole("listbox");
  await expect(list).toHaveAttribute("aria-label", /1,6\d\d findings/);
  await list.focus();
  await app.keyboard.press("End");
  const current = app.getByRole("option").and(app.locator("[aria-current]"));
  const total = Number(await app.getByRole("option").first().getAttribute("aria-setsize"));
  expect(total).toBeGreaterThanOrEqual(RESULTS);
  await expect(current).toHaveAttribute("aria-posinset", String(total));
  expect(await app.getByRole("option").count()).toBeLessThan(100);
  await app.keyboard.press("k");
  await expect(current).toHaveAttribute("aria-posinset", String(total - 1));

  await app.keyboard.press("/");
  await app.keyboard.type("tool:many 0815");
  await expect(list).toHaveAttribute("aria-label", /: 1 finding$/);
  await expect(app.getByRole("option")).toContainText("result number 0815 of many");
  await expect(app.getByRole("button", { name: /^Remove the filter/ })).toHaveCount(1);
  await app.keyboard.press("Escape");
  await expect(list).toBeFocused();
});

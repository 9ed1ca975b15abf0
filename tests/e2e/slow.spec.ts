/** Answers that come late or in another order: what the person is told does not depend on it. */
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "../../ui/e2e";
import { expect, fileOfFix, findAllFixes, openFinding, openSample, sarif, test } from "./window";

const notice = (app: Page) => app.getByRole("status", { name: "Notice" });

/** Opens a finding with a fix. */
async function openFix(app: Page): Promise<void> {
  await openSample(app);
  await findAllFixes(app);
  await openFinding(app, app.getByRole("option").filter({ hasText: "Fix ready" }).first());
  await expect(app.getByRole("region", { name: "Fixes" })).toContainText(/recommended/i);
}

test("a refusal is said before the page has caught up, also to one who has gone on", async ({ app, core }) => {
  await openFix(app);
  await appendFile(await fileOfFix(app), "\n");
  void core.hold("get_finding", "list_findings", "get_status");
  await app.keyboard.press("a");
  await expect(notice(app)).toContainText("The fix was not applied");
  // It was about this finding, but is not lost with it. (Escape would close it first.)
  await app.getByRole("button", { name: "Back to the inbox" }).click();
  await expect(app.getByRole("listbox", { name: /findings/ })).toBeVisible();
  await expect(notice(app)).toContainText("The fix was not applied");
  core.letGo();
  await notice(app).getByRole("button", { name: "Close the notice" }).click();
  await expect(notice(app)).toBeEmpty();
});

test("a change that ends after one has gone on is told all the same", async ({ app, core }) => {
  await openFix(app);
  await appendFile(await fileOfFix(app), "\n");
  void core.hold("apply_fix");
  await app.keyboard.press("a");
  await app.keyboard.press("Escape");
  await expect(app.getByRole("listbox", { name: /findings/ })).toBeVisible();
  core.letGo();
  await expect(notice(app)).toContainText("The fix was not applied");
});

test("the end of the runs moves nothing under the pointer, and displaces no refusal", async ({ app }) => {
  await openFix(app);
  await appendFile(await fileOfFix(app), "\n");
  await app.keyboard.press("a");
  await expect(notice(app)).toContainText("The fix was not applied");
  await app.keyboard.press("r");
  await expect(notice(app)).toContainText("Run started");
  const before = await notice(app).boundingBox();
  const status = app.getByRole("contentinfo", { name: "Status" });
  await expect(status).toContainText("Nothing running: 15 fixes ready, 1 without a safe fix");
  await expect(notice(app)).toContainText("The fix was not applied");
  expect(await notice(app).boundingBox()).toEqual(before);
});

test("a key pressed before the finding is there is told to be pressed again", async ({ app, core }) => {
  await openSample(app);
  await expect(app.getByRole("complementary")).toContainText("No fix looked for yet");
  await app.keyboard.press("j");
  void core.hold("get_finding");
  await app.keyboard.press("Enter");
  await app.keyboard.press("w");
  await expect(notice(app)).toContainText("The finding is still being read");
  core.letGo();
});

test("a model is added by keys that are pressed before the page knows of any", async ({ app, core }) => {
  await openSample(app);
  const kept = core.hold("list_models", "list_known_models");
  await app.keyboard.press("g");
  await app.keyboard.press("k");
  await expect(app.getByRole("heading", { level: 1, name: "Models and keys" })).toBeVisible();
  await app.keyboard.press("t");
  await expect(notice(app)).toContainText("The models are still being read");
  await app.keyboard.press("a");
  await app.keyboard.press("Enter");
  await kept;
  core.letGo();
  await expect(app.getByRole("form", { name: "Add a model" }).getByLabel("Provider")).toBeFocused();
});

test("a key that acts on findings is told to be pressed again while they are read", async ({ app, core }) => {
  await openSample(app);
  void core.hold("list_findings");
  await app.getByRole("link", { name: /^All/ }).click();
  await app.keyboard.press("Shift+R");
  await expect(notice(app)).toContainText("The findings are still being read");
  // What needs none works meanwhile.
  await app.keyboard.press("/");
  await expect(app.getByRole("textbox", { name: "Filter findings" })).toBeFocused();
  core.letGo();
});

test("a log that failed is not hidden by one that is dropped with it", async ({ app, folder }) => {
  const [failed, good] = [join(folder, "failed.sarif"), join(folder, "good.sarif")];
  await writeFile(failed, sarif({ tool: "broken-scanner", succeeded: false }));
  await writeFile(good, sarif({ tool: "demo-scanner", message: "orders are read without a check", succeeded: true }));
  await openSample(app);
  await app.evaluate((paths) => window.conclaveDrop?.({ kind: "drop", paths }), [failed, good]);
  await expect(notice(app)).toContainText("The scan by broken-scanner failed");
  await expect(notice(app)).toContainText("Imported good.sarif: 1 result, 1 new");
});

test("no network is no reason not to answer", async ({ app, folder }) => {
  const path = join(folder, "report.sarif");
  await writeFile(path, sarif({ tool: "demo-scanner", message: "orders are read without a check", succeeded: true }));
  await openSample(app);
  await app.context().setOffline(true);
  await app.evaluate((dropped) => window.conclaveDrop?.({ kind: "drop", paths: [dropped] }), path);
  await expect(notice(app)).toContainText("Imported report.sarif: 1 result, 1 new");
  await expect(app.getByRole("option").filter({ hasText: "orders are read without a check" })).toBeVisible();
});

test("what is typed into the filter stays there, however slow the list is", async ({ app, core }) => {
  await openSample(app);
  await app.keyboard.press("/");
  const kept = core.hold("list_findings");
  await app.keyboard.type("tool");
  await kept;
  core.letGo();
  await expect(app.getByText("No finding matches the filter")).toBeVisible();
  await app.keyboard.type(":Bandit ");
  await expect(app.getByRole("listbox", { name: "Needs you: 6 findings" })).toBeVisible();
  await expect(app.getByRole("textbox", { name: "Filter findings" })).toBeFocused();
});

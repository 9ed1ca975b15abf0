/** Logs from scanners: typed or dropped, good, or of a scanner that failed. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, openSample, sarif, test } from "./window";

test("a log is imported by its path", async ({ app, folder }) => {
  const path = join(folder, "report.sarif");
  await writeFile(path, sarif({ tool: "demo-scanner", message: "orders are read without a check", succeeded: true }));
  await openSample(app);
  await app.keyboard.press("i");
  await app.getByLabel("Import a SARIF file").fill(path);
  await app.keyboard.press("Enter");
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("Imported report.sarif: 1 result, 1 new");
  await expect(app.getByRole("option").filter({ hasText: "orders are read without a check" })).toBeVisible();
});

test("a scanner that failed is never shown as clean", async ({ app, folder }) => {
  const path = join(folder, "failed.sarif");
  await writeFile(path, sarif({ tool: "broken-scanner", succeeded: false }));
  await openSample(app);
  const rows = await app.getByRole("listbox").getAttribute("aria-label");
  await app.evaluate((dropped) => window.conclaveDrop?.({ kind: "drop", paths: [dropped] }), path);

  const notice = app.getByRole("status", { name: "Notice" });
  await expect(notice).toContainText("The scan by broken-scanner failed: that is not a clean result");
  await expect(notice).toContainText("Its silence proves nothing");
  const scans = app.getByRole("region", { name: "Scans" });
  await expect(scans).toContainText("broken-scanner: scan failed");
  await scans.getByRole("button").first().click();
  await expect(scans).toContainText("findings stay as they were");
  // Nothing was closed by it.
  await expect(app.getByRole("listbox")).toHaveAttribute("aria-label", `${rows}`);
});

test("a file that is no log is refused with what to do", async ({ app, folder }) => {
  const path = join(folder, "notes.sarif");
  await writeFile(path, "these are notes");
  await openSample(app);
  await app.evaluate((dropped) => window.conclaveDrop?.({ kind: "drop", paths: [dropped] }), path);
  await expect(app.getByRole("status", { name: "Notice" })).toContainText("notes.sarif");
  await expect(app.getByRole("status", { name: "Notice" })).not.toContainText("new");
});

test("a held file says where it would go", async ({ app }) => {
  await openSample(app);
  await app.evaluate(() => window.conclaveDrop?.({ kind: "over" }));
  await expect(app.getByText("Drop a SARIF log to import it into")).toBeVisible();
  await app.evaluate(() => window.conclaveDrop?.({ kind: "leave" }));
  await expect(app.getByText("Drop a SARIF log to import it into")).toHaveCount(0);
});

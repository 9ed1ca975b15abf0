/** A critical finding with two fixes that are as good: nobody recommends one, and what judges and lints say stands beside. */
import { writeFile } from "node:fs/promises";
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
  settings: async ({ server }, give) => {
    const at = { base_url: `${server.origin}/v1` };
    await give({
      models: [
        { ...at, name: "One", model: "small:1b" },
        { ...at, name: "Other", model: "large:14b" },
      ],
    });
  },
});

const HASH = 'hashlib.md5(password.encode("utf-8")).hexdigest()';

/** A fix in the form that small models are asked for. */
function fix(explanation: string, replace: string): string {
  return JSON.stringify({ explanation, edits: [{ search: HASH, replace }] });
}

/** A judge that always holds with the fix that it is shown first, so that its word in both orders says nothing. */
const BIASED = JSON.stringify({ reasoning: "The first is clearer.", faults_a: [], faults_b: [], verdict: "a" });

function isJudged(body: string): boolean {
  return body.includes("faults_a");
}

/** Has the weak password hash reported as critical, and opens it. */
async function openCritical(app: Page, folder: string): Promise<void> {
  await openSample(app);
  const log = join(folder, "critical.sarif");
  const rule = {
    id: "B324",
    name: "hashlib",
    properties: { "security-severity": "9.8", tags: ["external/cwe/cwe-327"] },
  };
  const region = { startLine: 10, startColumn: 12, endLine: 10, endColumn: 47 };
  const location = { physicalLocation: { artifactLocation: { uri: "shop/accounts.py" }, region } };
  const message = { text: "Use of weak MD5 hash for security." };
  const result = { ruleId: "B324", level: "error", message, locations: [location] };
  const driver = { name: "Bandit", rules: [rule] };
  const invocations = [{ executionSuccessful: true }];
  await writeFile(
    log,
    JSON.stringify({ version: "2.1.0", runs: [{ tool: { driver }, invocations, results: [result] }] }),
  );
  await app.keyboard.press("i");
  await app.getByLabel("Import a SARIF file").fill(log);
  await app.keyboard.press("Enter");
  const row = app.getByRole("option").filter({ hasText: "Critical" });
  await expect(row).toContainText("accounts.py:10");
  await openFinding(app, row);
}

test("two fixes that are as good are left to the person, with what the judge says", async ({ app, server, folder }) => {
  const scrypt = 'hashlib.scrypt(password.encode("utf-8"), salt=b"shop", n=16384, r=8, p=1).hex()';
  const pbkdf2 = 'hashlib.pbkdf2_hmac("sha256", password.encode("utf-8"), b"shop", 600_000).hex()';
  server.answerTo = ({ model, body }) =>
    isJudged(body) ? BIASED : model === "small:1b" ? fix("It is slow.", scrypt) : fix("It is slow too.", pbkdf2);
  await openCritical(app, folder);
  await app.keyboard.press("r");
  const fixes = app.getByRole("region", { name: "Fixes" });
  await expect(fixes).toContainText("Two fixes, and you pick.", { timeout: 90_000 });
  await expect(app.getByText("Two fixes, pick one")).toBeVisible();
  await expect(app.getByRole("radiogroup", { name: "Fixes" })).not.toContainText("Recommended");
  await expect(app.getByRole("button", { name: /^Apply fix 1/ })).toBeVisible();
  const why = app.getByRole("region", { name: "Why believe it" });
  await expect(why.getByRole("heading", { name: "Judge" })).toBeVisible();
  await expect(why).toContainText(/neither is better/i);
  expect(await faults(app)).toEqual([]);
  expect(await overflow(app)).toBeLessThanOrEqual(0);
});

test("what looks wrong in a fix is said beside it", async ({ app, server, folder }) => {
  server.answerTo = ({ body }) =>
    isJudged(body) ? BIASED : fix("It is newer.", 'hashlib.sha256(password.encode("utf-8")).hexdigest()');
  await openCritical(app, folder);
  await app.keyboard.press("r");
  const why = app.getByRole("region", { name: /^Why/ });
  await expect(
    why
      .getByRole("heading", { name: "Evidence" })
      .or(app.getByRole("heading", { name: "Tried" }))
      .first(),
  ).toBeVisible({ timeout: 90_000 });
  await expect(why.getByRole("heading", { name: "What is suspicious" })).toBeVisible();
  await expect(why).toContainText(/fast hash/i);
});

/**
 * A window for a test: the built page served from memory under the real content security policy, and a core of its
 * own in a temporary folder behind it. No port is opened; a request to anywhere else is cut off and fails the test.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type Locator, type Page, test as base, expect } from "../../ui/e2e";

const ROOT = resolve(import.meta.dirname, "../..");
const DIST = join(ROOT, "ui/dist");
const ORIGIN = "http://conclave.localhost";

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** The policy that the window runs under, as a header. */
async function contentSecurityPolicy(): Promise<string> {
  const { app } = JSON.parse(await readFile(join(ROOT, "tauri.conf.json"), "utf8"));
  const directives: [string, string][] = Object.entries(app.security.csp);
  return directives.map(([name, sources]) => `${name} ${sources}`).join("; ");
}

/** The core that is tested. */
export function binary(): string {
  const path = process.env["CONCLAVE_BIN"];
  if (path === undefined) throw new Error("CONCLAVE_BIN names no core to test with");
  return path;
}

/** The core as a child: JSON lines in, JSON lines out. */
export class Core {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: string) => void>();
  readonly #held = new Map<string, (() => void)[]>();
  #lastId = 0;
  #onKept: () => void = () => {};
  onEvent: (event: string) => void = () => {};

  constructor(dataDir: string, offline = false) {
    const args = ["rpc", "--data-dir", dataDir, ...(offline ? ["--offline"] : [])];
    this.#child = spawn(binary(), args, { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#child.stdout === null) throw new Error("the core has no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const message = JSON.parse(line);
      if ("event" in message) return this.onEvent(JSON.stringify(message.event));
      this.#waiting.get(message.id)?.(line);
      this.#waiting.delete(message.id);
    });
  }

  /** Passes a request on; ids are the core's own, so that several pages may share it. */
  call(request: string): Promise<string> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { cmd, payload } = JSON.parse(request);
    return new Promise((answer) => {
      this.#waiting.set(id, (reply) => {
        const held = this.#held.get(cmd);
        if (held === undefined) return answer(reply);
        held.push(() => answer(reply));
        this.#onKept();
      });
      this.#child.stdin?.write(`${JSON.stringify({ id, cmd, payload })}\n`);
    });
  }

  /**
   * Keeps the answers to `commands` back, as a slow machine would, until they are let go. Ends when the first one is
   * kept.
   */
  hold(...commands: string[]): Promise<void> {
    for (const command of commands) this.#held.set(command, []);
    return new Promise((kept) => (this.#onKept = kept));
  }

  /** Lets all answers go that were kept back. */
  letGo(): void {
    const kept = [...this.#held.values()].flat();
    this.#held.clear();
    for (const answer of kept) answer();
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((done) => this.#child.once("exit", done));
    this.#child.stdin?.end();
    this.#child.kill("SIGTERM");
    await gone;
  }
}

type Fixtures = {
  /** What stands in `settings.json` before the core starts; nothing unless a test says so. */
  settings: object | null;
  /** Whether the core refuses every connection. */
  coreOffline: boolean;
  /** A folder of the test's own. */
  folder: string;
  /** What the window asks. */
  core: Core;
  /** The window, open on its first screen. */
  app: Page;
};

export const test = base.extend<Fixtures>({
  // Playwright wants to see which fixtures it needs: none.
  // oxlint-disable-next-line no-empty-pattern
  folder: async ({}, give) => {
    const folder = await mkdtemp(join(tmpdir(), "conclave-e2e-"));
    await give(folder);
    await rm(folder, { recursive: true, force: true });
  },

  settings: [null, { option: true }],
  coreOffline: [false, { option: true }],

  core: async ({ folder, settings, coreOffline }, give) => {
    const data = join(folder, "data");
    if (settings !== null) {
      await mkdir(join(data, "blobs"), { recursive: true });
      await writeFile(join(data, "settings.json"), JSON.stringify(settings));
    }
    const core = new Core(data, coreOffline);
    await give(core);
    await core.stop();
  },

  app: async ({ page, core }, give) => {
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
    });

    const policy = await contentSecurityPolicy();
    await page.route("**/*", async (route) => {
      const url = new URL(route.request().url());
      if (url.origin !== ORIGIN) {
        faults.push(`left the page: ${url.href}`);
        return route.abort();
      }
      const file = join(DIST, url.pathname === "/" ? "index.html" : url.pathname);
      const headers = { "content-security-policy": policy };
      return route.fulfill({ path: file, contentType: TYPES[extname(file)] ?? "text/plain", headers });
    });
    await page.exposeFunction("conclaveRpc", (request: string) => core.call(request));
    core.onEvent = (event) => {
      void page.evaluate((text) => window.conclaveEvent?.(text), event).catch(() => {});
    };
    // The window freezes the prototypes of the page; so does the test.
    await page.addInitScript(() => Object.freeze(Object.prototype));
    await page.goto(ORIGIN);
    await give(page);
    // Before the core: it may be asking for something still.
    await page.close();
    expect(faults).toEqual([]);
  },
});

export { expect };

/** Opens the sample project from the first screen. */
export async function openSample(app: Page): Promise<void> {
  await app.getByRole("button", { name: "Try with the sample project" }).click();
  // The project's own logs were read, and the built-in detectors have looked.
  await expect(app.getByRole("region", { name: "Scans" })).toContainText(/Conclave\s*[1-9]/);
  await expect(app.getByRole("option").first()).toBeVisible();
}

/** The folder of the project that is open first. */
async function projectRoot(app: Page): Promise<string> {
  const reply = await app.evaluate(() =>
    window.conclaveRpc?.(JSON.stringify({ id: 0, cmd: "list_projects", payload: {} })),
  );
  return JSON.parse(`${reply}`).ok.items[0].root;
}

/** The file that the fix on the screen would change. */
export async function fileOfFix(app: Page): Promise<string> {
  const change = app.getByRole("region", { name: /^Change of / }).first();
  const path = await change.locator("code").first().textContent();
  return join(await projectRoot(app), `${path}`);
}

/** Opens a finding from the list and waits until it is there. */
export async function openFinding(app: Page, row: Locator): Promise<void> {
  await row.dblclick();
  await expect(app.getByRole("button", { name: "Back to the inbox" })).toBeVisible();
  await expect(app.getByRole("button", { name: /^(What would be sent|Undo)/ })).toBeVisible();
}

/** Starts what the plan on the screen says, once it is made. */
export async function runPlan(app: Page): Promise<void> {
  await expect(app.getByRole("heading", { level: 1, name: "Plan" })).toBeVisible();
  await expect(app.getByRole("button", { name: /^Run [1-9]/, disabled: false })).toBeVisible({ timeout: 60_000 });
  await app.keyboard.press("r");
  await expect(app.getByRole("listbox")).toBeVisible();
}

/** Has fixes looked for all open findings and waits until no run is left. */
export async function findAllFixes(app: Page): Promise<void> {
  await expect(app.getByRole("option").first()).toBeVisible();
  await app.keyboard.press("Shift+R");
  await runPlan(app);
  await expect(app.getByRole("button", { name: /^Find (fixes for all|a fix for the open)/ })).toHaveCount(0, {
    timeout: 120_000,
  });
  await expect(app.getByRole("contentinfo", { name: "Status" })).toContainText("Nothing running", { timeout: 120_000 });
  await expect(app.getByRole("option").filter({ hasText: "Fix ready" }).first()).toBeVisible();
}

type Log = { tool: string; message?: string; succeeded: boolean };

/** A SARIF log with one result, or that of a scanner that crashed before it had one. */
export function sarif({ tool, message, succeeded }: Log): string {
  const invocation = succeeded
    ? { executionSuccessful: true }
    : {
        executionSuccessful: false,
        exitCode: 2,
        toolExecutionNotifications: [{ level: "error", message: { text: "cannot read the configuration" } }],
      };
  const results =
    message === undefined
      ? []
      : [
          {
            ruleId: "demo-rule",
            level: "error",
            message: { text: message },
            locations: [
              { physicalLocation: { artifactLocation: { uri: "shop/orders.py" }, region: { startLine: 1 } } },
            ],
          },
        ];
  return JSON.stringify({
    version: "2.1.0",
    runs: [{ tool: { driver: { name: tool, rules: [{ id: "demo-rule" }] } }, invocations: [invocation], results }],
  });
}

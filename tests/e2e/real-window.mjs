/**
 * The real window through WebDriver: the sample project from the inbox to an applied and undone fix, by keyboard.
 *
 *     node real-window.mjs PROGRAM FOLDER
 *
 * It starts WebKitWebDriver, which starts the program. Pictures and the program's data go into FOLDER.
 * Nothing but a screen and Node is needed: the protocol is plain HTTP.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";

const [program, folder] = process.argv.slice(2);
assert.ok(program && folder, "usage: node real-window.mjs PROGRAM FOLDER");

const say = (line) => process.stdout.write(`${line}\n`);

/** W3C WebDriver, as much of it as is needed. */
class Session {
  constructor(base, id) {
    this.base = base;
    this.id = id;
  }

  static async open(base, capabilities) {
    const { sessionId } = await call("POST", `${base}/session`, { capabilities: { alwaysMatch: capabilities } });
    return new Session(base, sessionId);
  }

  post(path, body) {
    return call("POST", `${this.base}/session/${this.id}/${path}`, body);
  }

  /** The value of an expression in the page. */
  value(expression) {
    return this.post("execute/sync", { script: `return (${expression});`, args: [] });
  }

  async press(key, shift = false) {
    const down = [{ type: "keyDown", value: key }];
    const up = [{ type: "keyUp", value: key }];
    const held = shift ? [[{ type: "keyDown", value: SHIFT }], [{ type: "keyUp", value: SHIFT }]] : [[], []];
    const actions = [...held[0], ...down, ...up, ...held[1]];
    await this.post("actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Waits until an expression in the page is true, and returns its value. */
  async until(what, expression) {
    for (let tries = 0; tries < 600; tries += 1) {
      const value = await this.value(expression);
      if (value) return value;
      await pause(100);
    }
    await this.picture("stuck");
    const text = await this.value("document.body.innerText");
    throw new Error(`the window never showed ${what}; it shows:\n${text}`);
  }

  /** The window as it is after the next two frames. */
  async picture(name) {
    await this.post("execute/async", {
      script:
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 150)));",
      args: [],
    });
    const image = await call("GET", `${this.base}/session/${this.id}/screenshot`);
    writeFileSync(join(folder, `${name}.png`), Buffer.from(image, "base64"));
  }

  /** One picture in each theme. */
  async pictures(name) {
    for (const theme of ["light", "dark"]) {
      await this.value(`(document.documentElement.dataset.theme = "${theme}")`);
      await this.picture(`${name}-${theme}`);
    }
    await this.value("delete document.documentElement.dataset.theme");
  }

  close() {
    return call("DELETE", `${this.base}/session/${this.id}`);
  }
}

const SHIFT = "\uE008";
const ENTER = "\uE007";
const ESCAPE = "\uE00C";

async function call(method, url, body) {
  const answer = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value.error}: ${value.message}`);
  return value;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function isUp(base) {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      if ((await call("GET", `${base}/status`)).ready) return;
    } catch {
      // Not listening yet.
    }
    await pause(100);
  }
  throw new Error("WebKitWebDriver does not answer");
}

const options = `[...document.querySelectorAll('[role="option"]')]`;
const total = `Number(document.querySelector('[role="option"]')?.ariaSetSize ?? 0)`;
const status = `document.querySelector('[aria-label="Status"]').innerText`;
const outcomes = `(${status}.match(/Nothing running: .*/)?.[0].match(/\\d+/g) ?? [])`;
const counted = (view) =>
  `Number([...document.querySelectorAll("nav a")].find((a) => a.innerText.startsWith("${view}"))?.innerText.match(/\\d+/)?.[0] ?? -1)`;
const button = (name) =>
  `[...document.querySelectorAll("button")].find((b) => b.innerText.startsWith("${name}") && !b.disabled)`;

/** The files of the sample project as they are on disk, by name. */
function sample() {
  const root = join(folder, "data/demo/corner-shop");
  const files = readdirSync(root, { recursive: true }).filter((name) => statSync(join(root, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(root, name), "latin1")]));
}

async function scenario(window) {
  await window.until("ten findings", `${total} >= 10`);
  await window.pictures("inbox");
  const before = sample();

  await window.press("r", true);
  await window.until(
    "the plan of all runs",
    `location.hash.startsWith("#/plan") && ${button("Run ")} !== undefined && ${button("Run ")}.ariaDisabled !== "true"`,
  );
  await window.pictures("plan");
  await window.press("r");
  await window.until(
    "that every finding was tried",
    // Nothing runs before the first run has begun, either: what came out adds up to all findings.
    `${outcomes}.length > 0 && ${outcomes}.reduce((sum, n) => sum + Number(n), 0) === ${counted("Needs you")}`,
  );
  await window.value(`(location.hash = "#/?view=fix_ready")`);
  const ready = await window.until(
    "fixes that are ready and nothing else",
    // The list of the view before stands until the new one is there, and not all of its rows are drawn.
    `${options}.every((row) => row.innerText.includes("Fix ready")) && ${total} === ${counted("Fix ready")} && ${total}`,
  );

  await window.press(ENTER);
  await window.until(
    "the page of a finding",
    `location.hash.startsWith("#/finding/") && ${button("Apply")} !== undefined`,
  );
  await window.pictures("finding");

  await window.press("a");
  await window.until("that it was applied", `${button("Undo")} !== undefined`);
  await window.pictures("applied");
  const after = sample();
  const written = Object.keys(before).filter((name) => before[name] !== after[name]);
  assert.equal(written.length, 1, `one file is written, not ${written.join(", ")}`);
  await window.press("u");
  await window.until("that it was undone", `${button("Apply")} !== undefined`);
  assert.deepEqual(sample(), before, "undo brings back the same bytes");

  await window.press(ESCAPE);
  await window.until("the inbox as it was", `${options}.length > 0 && ${total} === ${ready}`);

  await window.value(`(location.hash = "#/policy")`);
  await window.until("the rules in effect", `document.body.innerText.includes("only-the-person-writes")`);
  await window.pictures("policy");
  await window.value(`(location.hash = "#/providers")`);
  await window.until("models and keys", `document.querySelector("h1")?.innerText === "Models and keys"`);
  say(`${ready} fixes were ready; one was applied and undone`);
}

mkdirSync(folder, { recursive: true });
const port = await freePort();
const driver = spawn("WebKitWebDriver", [`--port=${port}`], {
  env: { ...process.env, TAURI_WEBVIEW_AUTOMATION: "true" },
  stdio: "inherit",
});
try {
  const base = `http://127.0.0.1:${port}`;
  await isUp(base);
  const args = ["--offline", "--demo", "--data-dir", join(folder, "data")];
  const started = performance.now();
  const window = await Session.open(base, { "webkitgtk:browserOptions": { binary: program, args } });
  await window.until("the inbox", `${options}.length > 0`);
  say(`the inbox stood after ${Math.round(performance.now() - started)} ms`);
  try {
    await scenario(window);
  } finally {
    await window.close();
  }
} finally {
  driver.kill();
}

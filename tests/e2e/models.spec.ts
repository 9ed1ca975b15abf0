/** Models and keys over the real core: add, test, order, try out, remove, limits, and servers on this machine. */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Page } from "../../ui/e2e";
import { ModelServer } from "./model-server";
import { expect, openSample, runPlan, test } from "./window";

const ROOT = resolve(import.meta.dirname, "../..");

async function openModels(app: Page): Promise<void> {
  await openSample(app);
  await app.keyboard.press("g");
  await app.keyboard.press("k");
  await expect(app.getByRole("heading", { level: 1, name: "Models and keys" })).toBeVisible();
}

const models = (app: Page) => app.getByRole("region", { name: "Models", exact: true });
const rows = (app: Page, group: RegExp) => models(app).getByRole("region", { name: group }).getByRole("button");
const notice = (app: Page) => app.getByRole("status", { name: "Notice" });

/** What the settings file says now. */
async function settingsOf(folder: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, "data/settings.json"), "utf8"));
}

const api = (name: string, more: object = {}) => ({
  name,
  base_url: `https://${name}.invalid/v1`,
  model: `${name}-large`,
  ...more,
});

test("with nothing set up the page says that nothing is needed, and adds an API", async ({ app, folder }) => {
  await openModels(app);
  await expect(app.getByRole("heading", { name: "No model yet, and none is needed" })).toBeVisible();
  await app.getByRole("button", { name: "Add an API" }).click();
  const form = app.getByRole("form", { name: "Add a model" });
  await form.getByLabel("Provider").selectOption("Another address");
  await form.getByLabel("Model", { exact: true }).fill("hub/coder-large");
  await form.getByLabel("Address").fill("nowhere at all");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await expect(form.getByLabel("Address")).toHaveAttribute("aria-invalid", "true");
  await expect(form.getByRole("alert")).toContainText("cannot be reached at this address");

  await form.getByLabel("Address").fill("https://models.invalid/v1");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await expect(rows(app, /^Asked in this order/)).toContainText(["coder-large"]);
  const about = app.getByRole("region", { name: "About coder-large" });
  await expect(about).toContainText("It gets no code.");
  await expect(about).toContainText("No key");
  await expect(about).toContainText("not known; under a limit it is not asked");
  expect(JSON.stringify(await settingsOf(folder))).toContain("hub/coder-large");
});

test("a known model is chosen by keys with its price, and one that is retired names what takes its place", async ({
  app,
  folder,
}) => {
  await openModels(app);
  await app.keyboard.press("a");
  await app.keyboard.press("Enter");
  const form = app.getByRole("form", { name: "Add a model" });
  const price = (part: string) => form.getByLabel(`A million tokens ${part}, in dollars`);
  await expect(form.getByLabel("Provider")).toBeFocused();
  await form.getByLabel("Provider").selectOption("Google Gemini");
  await form.getByRole("radio").first().focus();
  await app.keyboard.press("ArrowDown");
  await expect(form.getByLabel("Model", { exact: true })).toHaveValue("gemini-2.5-pro");
  await expect(price("read")).toHaveValue("1.25");
  await expect(price("from its cache")).toHaveValue("0.125");
  await expect(form).toContainText("as public lists had it on 2026-10-21");
  await expect(form).toContainText("more than 200,000 tokens costs $2.50 / $15.00");

  await form.getByLabel("Provider").selectOption("OpenRouter");
  await expect(form).toContainText("Conclave knows no model of OpenRouter");
  await expect(price("written")).toHaveValue("");
  await expect(form).toContainText("Unknown. Under a limit");

  await form.getByLabel("Provider").selectOption("Anthropic");
  await form.getByLabel("Model", { exact: true }).fill("claude-opus-4");
  await expect(form).toContainText("was retired on 2026-06-15");
  await form.getByRole("button", { name: "Take claude-opus-5-5" }).click();
  await expect(form.getByRole("radio", { name: /^claude-opus-5-5/ })).toBeChecked();
  await expect(price("read")).toHaveValue("4.00");
  await form.getByLabel("Name", { exact: true }).press("Enter");
  await expect(rows(app, /^Asked/)).toHaveText([/claude-opus-5-5/]);
  const { models: kept } = await settingsOf(folder);
  expect(kept).toEqual([
    { name: "claude-opus-5-5", base_url: "https://api.anthropic.com", model: "claude-opus-5-5", dialect: "anthropic" },
  ]);

  await app.keyboard.press("e");
  const edit = app.getByRole("form", { name: "Edit claude-opus-5-5" });
  await edit.getByLabel("A million tokens from its cache, in dollars").fill("nothing");
  await expect(edit.getByRole("button", { name: "Save" })).toBeDisabled();
  await edit.getByLabel("A million tokens from its cache, in dollars").fill("0.3");
  await expect(edit).toContainText("as you set it");
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(app.getByRole("region", { name: "About claude-opus-5-5" })).toContainText("as you set it");
  const { models: priced } = await settingsOf(folder);
  expect(priced).toMatchObject([{ price: { input: 4, output: 20, cached: 0.3 } }]);
});

test("headers are edited line by line, and one that holds a key is refused beside them", async ({ app, folder }) => {
  await openModels(app);
  await app.keyboard.press("a");
  await app.getByRole("button", { name: /^An API/ }).click();
  const form = app.getByRole("form", { name: "Add a model" });
  await form.getByLabel("Model", { exact: true }).fill("m");
  await form.getByText("Headers, and how many at a time").click();
  await form.getByRole("button", { name: "Add a header" }).click();
  await expect(form.getByLabel("Name of header 1")).toBeFocused();
  await app.keyboard.type("x-api-key");
  await app.keyboard.press("Tab");
  await app.keyboard.type("shop");
  await app.keyboard.press("Enter");
  await expect(form.getByRole("alert")).toContainText("holds a key");
  await form.getByLabel("Name of header 1").fill("x-title");
  await form.getByRole("button", { name: "Add a header" }).click();
  await form.getByRole("button", { name: "Remove header 2" }).click();
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await expect(rows(app, /^Asked/)).toHaveText([/API, m/]);
  expect((await settingsOf(folder))["models"]).toMatchObject([{ headers: { "x-title": "shop" } }]);
});

test("a set is added whole, with what takes the place of the retired", async ({ app, folder }) => {
  await openModels(app);
  await app.keyboard.press("a");
  await app.getByRole("button", { name: /^A set of hosted models/ }).click();
  const set = app.getByRole("region", { name: "The five of the first design" });
  await expect(set).toContainText("claude-opus-4 was retired on 2026-06-15");
  await expect(set.getByRole("listitem").filter({ hasText: "Specialised" })).toContainText("not known");
  await set.getByRole("button", { name: "Add deepseek-v4-pro" }).click();
  await expect(set.getByRole("listitem").filter({ hasText: "Logic" })).toContainText("added");
  await app.getByRole("button", { name: "Add 4 models" }).click();
  await expect(app.getByRole("button", { name: "All are added" })).toBeDisabled();
  const { models: added } = (await settingsOf(folder)) as { models: { model: string }[] };
  expect(added.map(({ model }) => model).toSorted()).toEqual([
    "claude-opus-5-5",
    "deepseek-v4-pro",
    "devstral-medium-latest",
    "gpt-4o",
    "mistral-large-4",
  ]);
});

test("a configuration shows what it would change before it does, typed or dropped", async ({ app, folder }) => {
  await openModels(app);
  await app.keyboard.press("i");
  const form = app.getByRole("form", { name: "Import a configuration" });
  await expect(form.getByLabel("File")).toBeFocused();
  await app.keyboard.type("config.yaml");
  await app.keyboard.press("Enter");
  await expect(form.getByRole("alert")).toContainText("whole path");

  const bad = join(folder, "bad.yaml");
  await writeFile(bad, "ai_sampling:\n  enabld: true\n");
  await form.getByLabel("File").fill(bad);
  await app.keyboard.press("Enter");
  const found = app.getByRole("region", { name: "What it would change" });
  await expect(found).toBeFocused();
  await expect(found).toContainText("did you mean enabled?");
  await expect(found).toContainText("line 2");
  await expect(app.getByRole("button", { name: /^Import/ })).toHaveCount(0);

  const good = join(ROOT, "tests/fixtures/config/example.yaml");
  await app.evaluate((path) => window.conclaveDrop?.({ kind: "drop", paths: [path] }), good);
  await expect(found).toContainText("models: claude");
  await expect(found).toContainText("What to know");
  expect(await readFile(join(folder, "data/settings.json"), "utf8").catch(() => null)).toBeNull();
  await app.getByRole("button", { name: "Import 4 settings" }).click();
  await expect(notice(app)).toContainText("4 settings taken over from example.yaml");
  await expect(rows(app, /^Asked/)).toHaveText([/claude_cli/, /mcp_sampling/, /claude/]);
});

test("all models are tested at once, and thresholds are kept where they make sense", async ({ app, core, folder }) => {
  const server = await ModelServer.start();
  try {
    await openModels(app);
    await expect(app.getByRole("button", { name: /^Test all/ })).toHaveCount(0);
    const rest = { key_env: null, may_send_code: false, dialect: null, headers: {}, price: null, max_concurrent: null };
    const both = { ...rest, model: "small:1b", enabled: true, trial: false };
    for (const [name, base_url] of [
      ["here", `${server.origin}/v1`],
      ["gone", "http://127.0.0.1:9/v1"],
    ]) {
      const model = { kind: "api", setting: { ...both, name, base_url } };
      await core.call(JSON.stringify({ id: 0, cmd: "save_model", payload: { model, replaces: null } }));
    }
    await expect(rows(app, /^Asked/)).toHaveCount(2);
    await app.keyboard.press("Shift+T");
    await expect(notice(app)).toContainText("1 of 2 models answers");
    await expect(notice(app)).toContainText("gone: ");
    await app.keyboard.press("s");
    const health = app.getByRole("form", { name: "Health" });
    await expect(health.getByRole("row").filter({ hasText: "gone" })).toContainText("Down");
    const slow = health.getByLabel("Degraded, by time, from percent of its usual time");
    await slow.fill("50");
    await expect(health).toContainText("no whole percentage");
    await expect(health.getByRole("button", { name: "Save thresholds" })).toBeDisabled();
    await slow.fill("300");
    await health.getByLabel("Down, from percent of its calls failed").fill("40");
    await slow.press("Enter");
    await expect(notice(app)).toContainText("The thresholds hold");
    expect((await settingsOf(folder))["health"]).toEqual({ slow_percent: 300, down_percent: 40 });
  } finally {
    await server.stop();
  }
});

test("a model that keeps failing rests, and the page counts the seconds", async ({ app, core }) => {
  const server = await ModelServer.start();
  try {
    await openModels(app);
    const rest = { key_env: null, may_send_code: false, dialect: null, headers: {}, price: null, max_concurrent: null };
    const setting = { ...rest, name: "here", base_url: `${server.origin}/v1`, model: "small:1b" };
    const model = { kind: "api", setting: { ...setting, enabled: true, trial: false } };
    await core.call(JSON.stringify({ id: 0, cmd: "save_model", payload: { model, replaces: null } }));
    await expect(rows(app, /^Asked/)).toContainText(["Not tried"]);
    await app.keyboard.press("t");
    await expect(notice(app)).toContainText("here answers");
    server.mood = "failing";
    await app.keyboard.press("g");
    await app.keyboard.press("i");
    await expect(app.getByRole("option").first()).toBeVisible();
    await app.keyboard.press("Shift+R");
    await runPlan(app);
    await app.keyboard.press("g");
    await app.keyboard.press("k");
    const row = rows(app, /^Asked/).first();
    await expect(row).toContainText(/rests for \d+ s/, { timeout: 60_000 });
    const before = await row.textContent();
    await expect(row).not.toHaveText(before ?? "");
    await expect(row).toContainText("rests for");
  } finally {
    await server.stop();
  }
});

test.describe("with three models", () => {
  test.use({ settings: { models: [api("one", { may_send_code: true }), api("two"), api("three")] } });

  test("their order follows the keys and is kept", async ({ app, folder }) => {
    await openModels(app);
    await expect(rows(app, /^Asked/)).toHaveText([/one/, /two/, /three/]);
    await app.keyboard.press("Alt+ArrowDown");
    await expect(rows(app, /^Asked/)).toHaveText([/two/, /one/, /three/]);
    // Until the whole page has caught up, the key says that one has to wait.
    await expect(app.getByRole("button", { name: "Later" })).toBeEnabled();
    await app.keyboard.press("Alt+ArrowDown");
    await expect(rows(app, /^Asked/)).toHaveText([/two/, /three/, /one/]);
    await app.keyboard.press("k");
    await expect(app.getByRole("button", { name: "Earlier" })).toBeEnabled();
    await app.getByRole("button", { name: "Earlier" }).click();
    await expect(rows(app, /^Asked/)).toHaveText([/three/, /two/, /one/]);
    const { preference } = await settingsOf(folder);
    expect((preference as string[]).filter((name) => name !== "mcp_sampling")).toEqual(["three", "two", "one"]);
  });

  test("one is tried out only, turned off, and removed, each with a way back", async ({ app, folder }) => {
    await openModels(app);
    await expect(rows(app, /^Asked/)).toHaveCount(3);
    await app.keyboard.press("j");
    await expect(app.getByRole("heading", { level: 2, name: "two" })).toBeVisible();
    await app.keyboard.press("y");
    await expect(rows(app, /^Tried out/)).toHaveText([/two/]);
    await notice(app).getByRole("button", { name: "Undo" }).click();
    await expect(rows(app, /^Asked/)).toHaveText([/one/, /two/, /three/]);

    await app.keyboard.press("o");
    await expect(rows(app, /^Off/)).toHaveText([/two/]);
    await app.keyboard.press("o");
    await expect(rows(app, /^Asked/)).toHaveText([/one/, /two/, /three/]);

    await app.keyboard.press("Delete");
    await expect(rows(app, /^Asked/)).toHaveText([/one/, /three/]);
    expect(JSON.stringify(await settingsOf(folder))).not.toContain("two-large");
    await notice(app).getByRole("button", { name: "Undo" }).click();
    await expect(rows(app, /^Asked/)).toHaveText([/one/, /two/, /three/]);
  });

  test("one is edited, and a name that another has is refused beside its field", async ({ app }) => {
    await openModels(app);
    await expect(rows(app, /^Asked/)).toHaveCount(3);
    await app.keyboard.press("e");
    const form = app.getByRole("form", { name: "Edit one" });
    await form.getByLabel("Name").fill("two");
    await form.getByRole("button", { name: "Save" }).click();
    await expect(form.getByRole("alert")).toContainText("already");
    await form.getByLabel("Name").fill("first");
    await form.getByRole("button", { name: "Save" }).click();
    await expect(rows(app, /^Asked/)).toHaveText([/first/, /two/, /three/]);
  });

  test("local only takes the leave for code from all that leave, and gives it back", async ({ app }) => {
    await openModels(app);
    const local = app.getByRole("switch", { name: "Local only" });
    await expect(local).toHaveAttribute("aria-checked", "false");
    await expect(rows(app, /^Asked/).first()).not.toContainText("gets no code");
    await app.keyboard.press("l");
    await expect(local).toHaveAttribute("aria-checked", "true");
    await expect(rows(app, /^Asked/).first()).toContainText("gets no code");
    await expect(notice(app)).toContainText("one");
    await local.click();
    await expect(local).toHaveAttribute("aria-checked", "false");
    await expect(rows(app, /^Asked/).nth(1)).toContainText("gets no code");
  });
});

test("limits are kept exactly, and what is no amount is not", async ({ app, folder }) => {
  await openModels(app);
  await app.keyboard.press("m");
  const money = app.getByRole("form", { name: "Money" });
  await expect(money.getByRole("table", { name: "What was spent" })).toContainText("$0.00");
  const save = money.getByRole("button", { name: "Save limits" });
  await money.getByLabel("At most for one day, in dollars").fill("five");
  await expect(money).toContainText("no amount in dollars");
  await expect(save).toBeDisabled();
  await money.getByLabel("At most for one day, in dollars").fill("5");
  await money.getByLabel("At most for one call, in dollars").fill("0.000123");
  await money.getByLabel("By hand, one high finding, in dollars").fill("120.50");
  await save.click();
  await expect(notice(app)).toContainText("The limits hold");
  await expect(app.getByRole("contentinfo", { name: "Status" })).toContainText("Spent today $0.00 of $5.00");
  await expect(money).toContainText("one run costs at most: critical $1.50, high $0.75");
  const { budget, manual_cost } = await settingsOf(folder);
  expect(budget).toMatchObject({ per_day: 5, per_call: 0.000123 });
  expect(manual_cost).toEqual({ critical: 200, high: 120.5, medium: 50 });
  await expect(money.getByLabel("At most for one call, in dollars")).toHaveValue("0.000123");
});

test("servers on this machine are found when they are looked for, and added with one click", async ({ app, core }) => {
  const server = await ModelServer.start();
  try {
    await openModels(app);
    const base_url = server.origin;
    const setting = { name: "known", base_url, model: "small:1b", key_env: null, may_send_code: false };
    const rest = { dialect: "ollama", headers: {}, price: null, enabled: true, trial: false, max_concurrent: null };
    const model = { kind: "api", setting: { ...setting, ...rest } };
    await core.call(JSON.stringify({ id: 0, cmd: "save_model", payload: { model, replaces: null } }));
    await expect(rows(app, /^Asked/)).toHaveText([/known/]);
    expect(server.asked.filter((path) => path === "/api/version")).toEqual([]);

    await app.keyboard.press("f");
    const found = app.getByRole("region", { name: "Ollama" });
    await expect(found).toContainText("large:14b");
    await expect(found).toContainText("Runs here");
    await expect(found.getByRole("listitem").filter({ hasText: "small:1b" })).toContainText("added");
    await found.getByRole("button", { name: "Add large:14b" }).click();
    await expect(rows(app, /^Asked/)).toHaveText([/known/, /large:14b/]);
    await expect(found.getByRole("listitem").filter({ hasText: "large:14b" })).toContainText("added");
  } finally {
    await server.stop();
  }
});

test("a model is tested when asked, and one that fails is said to be down in words", async ({ app, core }) => {
  const server = await ModelServer.start();
  try {
    await openModels(app);
    const setting = { name: "here", base_url: `${server.origin}/v1`, model: "small:1b", key_env: null };
    const rest = { may_send_code: false, dialect: null, headers: {}, price: null, max_concurrent: null };
    const model = { kind: "api", setting: { ...setting, ...rest, enabled: true, trial: false } };
    await core.call(JSON.stringify({ id: 0, cmd: "save_model", payload: { model, replaces: null } }));
    await expect(rows(app, /^Asked/)).toContainText(["Not tried"]);
    await app.keyboard.press("t");
    await expect(notice(app)).toContainText("here answers");
    await expect(rows(app, /^Asked/)).not.toContainText(["Not tried"]);
    await expect(app.getByRole("button", { name: "Test now" })).toBeEnabled();

    server.mood = "failing";
    await app.keyboard.press("t");
    await expect(rows(app, /^Asked/)).toContainText(["Down"]);
    await expect(notice(app)).toContainText("here does not answer");
    // A key closes what failed.
    await app.keyboard.press("Escape");
    await expect(notice(app)).not.toContainText("here does not answer");
  } finally {
    await server.stop();
  }
});

test.describe("offline", () => {
  test.use({ coreOffline: true });

  test("it is said that every connection is refused", async ({ app }) => {
    await openModels(app);
    await expect(models(app)).toContainText("Offline");
    await app.keyboard.press("f");
    await expect(app.getByText("No server that offers models was found.")).toBeVisible();
  });
});

test("the connected client is said to be withdrawn before it is added", async ({ app }) => {
  await openModels(app);
  await app.keyboard.press("a");
  await app.getByRole("button", { name: /^The connected MCP client/ }).click();
  await expect(app.getByText("This part of the protocol is being withdrawn.")).toBeVisible();
  await app.getByRole("button", { name: "Add", exact: true }).click();
  await expect(rows(app, /^Tried out/)).toHaveText([/mcp_sampling/]);
});

test("a program and a file that is not there are added by keys alone", async ({ app, folder }) => {
  await openModels(app);
  await app.keyboard.press("a");
  await expect(app.getByRole("button", { name: /^An API/ })).toBeFocused();
  await app.keyboard.press("Tab");
  await app.keyboard.press("Tab");
  await expect(app.getByRole("button", { name: /^A program/ })).toBeFocused();
  await app.keyboard.press("Enter");
  const form = app.getByRole("form", { name: "Add a model" });
  await expect(form.getByLabel("Program")).toBeFocused();
  await form.getByText("What it is told first").click();
  await form.getByLabel("Told first").fill("Be brief.\nNo jokes.");
  await form.getByLabel("Second tries").fill("0");
  await form.getByLabel("Pause").fill("250");
  await form.getByLabel("At a time").fill("3");
  await form.getByLabel("Name").press("Enter");
  await expect(rows(app, /^Asked/)).toHaveText([/claude_cli/]);
  const { cli_models: kept } = await settingsOf(folder);
  expect(kept).toMatchObject([
    { system_prompt: "Be brief.\nNo jokes.", max_retries: 0, retry_delay_ms: 250, max_concurrent: 3 },
  ]);

  await app.keyboard.press("a");
  await app.getByRole("button", { name: /^A model file/ }).click();
  await form.getByLabel("File").fill("/nowhere/at/all.gguf");
  await expect(form.getByRole("status")).not.toContainText("Reading");
  await form.getByLabel("Threads").fill("0");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await expect(form.getByLabel("Threads")).toHaveAttribute("aria-invalid", "true");
  await form.getByLabel("Threads").fill("2");
  await form.getByLabel("File").fill("all.gguf");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await expect(form.getByRole("alert")).toContainText("absolute path");
});

/** Models and keys over the real core: add, test, order, try out, remove, limits, and servers on this machine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "../../ui/e2e";
import { ModelServer } from "./model-server";
import { expect, openSample, test } from "./window";

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

test.describe("with three models", () => {
  test.use({ settings: { models: [api("one", { may_send_code: true }), api("two"), api("three")] } });

  test("their order follows the keys and is kept", async ({ app, folder }) => {
    await openModels(app);
    await expect(rows(app, /^Asked/)).toHaveText([/one/, /two/, /three/]);
    await app.keyboard.press("Alt+ArrowDown");
    await expect(rows(app, /^Asked/)).toHaveText([/two/, /one/, /three/]);
    await app.keyboard.press("Alt+ArrowDown");
    await expect(rows(app, /^Asked/)).toHaveText([/two/, /three/, /one/]);
    await app.keyboard.press("k");
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

test("a program and a file that is not there are added by keys alone", async ({ app }) => {
  await openModels(app);
  await app.keyboard.press("a");
  await app.keyboard.press("Tab");
  await app.keyboard.press("Tab");
  await app.keyboard.press("Enter");
  const form = app.getByRole("form", { name: "Add a model" });
  await expect(form.getByLabel("Program")).toBeFocused();
  await form.getByLabel("Name").press("Enter");
  await expect(rows(app, /^Asked/)).toHaveText([/claude_cli/]);

  await app.keyboard.press("a");
  await app.getByRole("button", { name: /^A model file/ }).click();
  await form.getByLabel("File").fill("/nowhere/at/all.gguf");
  await expect(form.getByRole("status")).not.toContainText("Reading");
  await form.getByLabel("File").fill("all.gguf");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await expect(form.getByRole("alert")).toContainText("absolute path");
});

/** Policy, what waits for the person, what left, and keys: the real core decides, the page shows and answers. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { binary, expect, openFinding, openSample, test } from "./window";

/** An agent that asks for leave through the MCP server, on the same data folder as the window. */
class Agent {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (answer: { result?: { structuredContent?: unknown } }) => void>();

  constructor(folder: string) {
    this.#child = spawn(binary(), ["mcp", "--data-dir", join(folder, "data")], { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#child.stdout === null) throw new Error("the server has no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const message = JSON.parse(line);
      this.#answers.get(message.id)?.(message);
    });
    const clientInfo = { name: "test", version: "1" };
    this.#send({
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo },
    });
    this.#send({ method: "notifications/initialized" });
  }

  /** Asks with a person to look; the answer comes when they have. */
  ask(id: number, tool_name: string, parameters: object): Promise<unknown> {
    const name = "evaluate_tool_with_human_review";
    this.#send({ id, method: "tools/call", params: { name, arguments: { tool_name, parameters } } });
    return new Promise((answer) => {
      this.#answers.set(id, ({ result }) => answer(result?.structuredContent ?? result));
    });
  }

  #send(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  stop(): void {
    this.#child.stdin?.end();
    this.#child.kill("SIGTERM");
  }
}

test("the rules in effect are shown with their layers, and a request can be tried", async ({ app }) => {
  await openSample(app);
  await app.keyboard.press("g");
  await app.keyboard.press("p");
  await expect(app.getByRole("heading", { name: "Rules in effect" })).toBeVisible();
  await expect(app.getByRole("heading", { name: "Built in, cannot be widened" })).toBeVisible();
  const rule = app.getByRole("button", { name: /only-the-person-writes/ });
  await rule.click();
  await expect(rule).toHaveAttribute("aria-expanded", "true");

  await app.keyboard.press("t");
  await app
    .getByLabel("A request to try")
    .fill(JSON.stringify({ actor: "engine", action: "write_project", resource: "/home/ada/shop" }));
  const answer = app.getByRole("status").filter({ hasText: "only-the-person-writes" });
  await expect(answer).toContainText("Deny");
  await app.getByLabel("A request to try").fill("{");
  await expect(
    app
      .getByRole("status")
      .filter({ has: app.locator("svg") })
      .last(),
  ).toBeVisible();
});

test("a change of one's own rules is tried on what was recorded, and then holds", async ({ app }) => {
  await openSample(app);
  await app.getByRole("link", { name: "Policy" }).click();
  await expect(app.getByRole("button", { name: /only-the-person-writes/ })).toBeVisible();
  await app.keyboard.press("e");
  const text = app.getByLabel("Your rules");
  await text.fill("version: 1\nrules: [{ id: a, acton: deny }]");
  await expect(app.getByRole("region", { name: /would have decided/ })).toContainText("action");
  await expect(app.getByRole("button", { name: "Save and put into effect" })).toBeDisabled();
  await text.fill(
    "version: 1\nrules:\n  - { id: no-reading, priority: 1, action: deny, reason: not today, conditions: { action: read_project } }\n",
  );
  await expect(app.getByRole("table", { name: /decided otherwise/ })).toContainText("Deny");
  await app.getByRole("button", { name: "Save and put into effect" }).click();
  await expect(app.getByRole("button", { name: /no-reading/ })).toBeVisible();
});

test("a policy that cannot be read is broken, not missing, among what this machine has", async ({ app, folder }) => {
  await openSample(app);
  await writeFile(join(folder, "data/policy.yaml"), "rules: [");
  await app.keyboard.press("g");
  await app.keyboard.press("p");
  await expect(app.getByRole("alert")).toContainText("policy.yaml");
  await app.keyboard.press("g");
  await app.keyboard.press("m");
  const tools = app.getByRole("region", { name: "What can run here" });
  await expect(tools).toContainText("1 broken");
});

test("a request that waits is shown whole and answered once, with its reason kept", async ({ app, folder }) => {
  await openSample(app);
  const agent = new Agent(folder);
  try {
    const command = { command: "npm run build", description: "Build\u202e" };
    const first = agent.ask(7, "Bash", command);
    await expect(app.getByRole("status").filter({ hasText: "Look and decide" })).toBeVisible();
    // The clock stands until the key was pressed, however long that takes.
    await app.clock.pauseAt(Date.now() + 60_000);
    await app.getByRole("link", { name: "Look and decide" }).click();
    const ask = app.getByRole("region", { name: /asks to use the tool Bash/ });
    await expect(ask).toContainText("npm run build");
    await app.setViewportSize({ width: 900, height: 700 });
    await expect(app.getByRole("link", { name: "Policy 1 waiting" })).toContainText("1");
    await expect(ask, "also where there is room for one column").toBeInViewport();
    await app.setViewportSize({ width: 1440, height: 900 });
    await expect(ask, "nothing can hide in it").toContainText("\\u202e");
    // Nobody allows what has only just appeared.
    await app.keyboard.press("1");
    await app.clock.resume();
    await expect(ask).toBeVisible();
    await ask.getByLabel("Because").fill("it only builds");
    await expect(ask.getByRole("button", { name: "Allow once" })).not.toHaveAttribute("aria-disabled", "true");
    await ask.getByRole("button", { name: "Allow once" }).click();
    expect(JSON.stringify(await first)).toContain("allow");
    await expect(ask).toBeHidden();

    const second = agent.ask(8, "Bash", command);
    await expect(ask).toBeVisible();
    await ask.getByRole("button", { name: "Deny once" }).click();
    expect(JSON.stringify(await second)).toContain("deny");
  } finally {
    agent.stop();
  }
});

test.describe("with a model", () => {
  test.use({
    settings: {
      models: [{ name: "Hosted", base_url: "https://model.invalid/v1", model: "large", may_send_code: true }],
    },
  });

  test("exactly what would be sent can be read before anything is sent", async ({ app }) => {
    await openSample(app);
    await openFinding(app, app.getByRole("option").first());
    await app.keyboard.press("w");
    const sheet = app.getByRole("dialog", { name: "What would be sent" });
    await expect(sheet).toContainText("model.invalid");
    await expect(sheet).toContainText("counts as hosted");
    await expect(sheet.getByLabel("The body of the request")).toContainText("the reported code");
    await app.keyboard.press("Escape");
    await expect(sheet).toBeHidden();
    await app.getByRole("link", { name: "Policy" }).click();
    await expect(app.getByText("Nothing has left this machine, and nothing asked to.")).toBeVisible();
  });

  test("without a keychain the page says what to do, and a key is nowhere on it", async ({ app }) => {
    await openSample(app);
    await app.getByRole("link", { name: "Models and keys" }).click();
    await expect(app.getByRole("heading", { name: "Models and keys" })).toBeVisible();
    await expect(app.getByRole("heading", { name: "model.invalid" })).toBeVisible();
    await expect(app.getByText("No key", { exact: true })).toBeVisible();
  });
});

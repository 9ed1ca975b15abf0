import { expect, test } from "vitest";
import type { ModelHealth, ModelRow } from "../../backend/generated";
import { breakerWords, grouped, moved, restWords, standingOf, timeWords, whereWords } from "./standing";

function row(name: string, change: Partial<ModelRow> = {}): ModelRow {
  return {
    name,
    kind: "api",
    model: "m",
    place: "https://api.example.com",
    host: "api.example.com",
    class: "hosted",
    class_known: true,
    enabled: true,
    trial: false,
    position: null,
    may_send_code: false,
    price: null,
    can: { schema: null, log_probabilities: null, usage: null, context_tokens: null },
    key: { from: "none" },
    loaded: null,
    tiers: [],
    calls: 0,
    spent: 0,
    spent_this_month: 0,
    health: null,
    warnings: [],
    setting: { kind: "mcp_sampling", setting: { enabled: true, may_send_code: false, trial: false } },
    ...change,
  };
}

const down = { state: "down" } as ModelHealth;

test("a model that is off is not said to be down, and one that nobody asked is not said to be well", () => {
  expect(standingOf({ enabled: true, health: down }).word).toBe("Down");
  expect(standingOf({ enabled: false, health: down }).word).toBe("Off");
  expect(standingOf({ enabled: true, health: null }).word).toBe("Not tried");
});

const all = [
  row("a"),
  row("off", { enabled: false }),
  row("b"),
  row("tried", { trial: true }),
  row("mcp_sampling", { kind: "mcp_sampling", enabled: false }),
  row("c"),
];

test("models stand in groups, and a client that is not asked does not stand there", () =>
  expect(grouped(all).map(([group, rows]) => [group, ...rows.map(({ name }) => name)])).toEqual([
    ["asked", "a", "b", "c"],
    ["trial", "tried"],
    ["off", "off"],
  ]));

test.each<[string, -1 | 1, string[] | null]>([
  ["b", -1, ["b", "off", "a", "tried", "mcp_sampling", "c"]],
  ["b", 1, ["a", "off", "c", "tried", "mcp_sampling", "b"]],
  ["a", -1, null],
  ["c", 1, null],
  ["tried", -1, null],
  ["gone", 1, null],
])("%s moves by %d among those that are asked", (name, by, order) => expect(moved(all, name, by)).toEqual(order));

test("a time is compared with the usual one only where there is one", () => {
  expect(timeWords({ latest_ms: 1200, usual_ms: 800 })).toBe("1.2 s, usually 0.8 s");
  expect(timeWords({ latest_ms: 1200, usual_ms: null })).toBe("1.2 s");
  expect(timeWords({ latest_ms: null, usual_ms: 800 })).toBeNull();
});

test.each([
  ["closed", null, "asked again at once"],
  ["open", 11_001, "it rests for 11 s, then one question decides"],
  ["open", 1_000, "the next question decides whether it is asked again"],
  ["open", null, "the next question decides whether it is asked again"],
  ["half_open", null, "the next question decides whether it is asked again"],
] as const)("a breaker that is %s until %s says what it does", (breaker, rests_until, words) =>
  expect(breakerWords({ breaker, rests_until }, 1_000)).toBe(words),
);

test("only what rests still says so", () => {
  expect(restWords({ breaker: "open", rests_until: 12_500 }, 1_000)).toBe("rests for 12 s");
  expect(restWords({ breaker: "open", rests_until: 999 }, 1_000)).toBeNull();
  expect(restWords({ breaker: "closed", rests_until: null }, 1_000)).toBeNull();
  expect(restWords(null, 1_000)).toBeNull();
});

test("a place that nobody vouches for counts as elsewhere", () =>
  expect(whereWords({ class: "hosted", class_known: false })).toBe("Counts as leaving"));

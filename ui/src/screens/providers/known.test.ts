import { expect, test } from "vitest";
import type { KnownModel, KnownModelList } from "../../backend/generated";
import { hostAt, isOfTheList, longWords, modelAt, offeredBy, priceWords, strengthWords } from "./known";

function model(id: string, change: Partial<KnownModel> = {}): KnownModel {
  return {
    id,
    aliases: [],
    host: "h",
    context_tokens: null,
    output_tokens: null,
    price: null,
    strengths: [],
    state: "living",
    remark: null,
    successor: null,
    ...change,
  };
}

const KNOWN: KnownModelList = {
  hosts: [
    { id: "h", title: "H", base_url: "https://h.example/v1", dialect: "openai_chat", key_env: "H_KEY", usual: "new" },
  ],
  models: [
    model("new", { aliases: ["newest"] }),
    model("soon", { state: "retires" }),
    model("old", { state: "retired" }),
    model("elsewhere", { host: "i" }),
  ],
  strengths: [
    { id: "deep", title: "Deep reasoning", focus: "" },
    { id: "fast", title: "Fast analysis", focus: "" },
  ],
  presets: [],
};

test("a host is known by where its API begins, and offers what is not retired", () => {
  expect(hostAt(KNOWN, "https://h.example/v1")?.id).toBe("h");
  expect(hostAt(KNOWN, "https://h.example")).toBeUndefined();
  expect(offeredBy(KNOWN, "h").map(({ id }) => id)).toEqual(["new", "soon"]);
});

test.each([
  ["new", "new"],
  ["newest", "new"],
  ["old", "old"],
  ["elsewhere", undefined],
  ["", undefined],
])("the model called %s at the host is %s", (name, id) => expect(modelAt(KNOWN, "h", name)?.id).toBe(id));

test("what it is good for and costs is said in words, and an unknown price is unknown", () => {
  expect(strengthWords(KNOWN, { strengths: ["deep", "fast"] })).toBe("Deep reasoning, fast analysis");
  expect(strengthWords(KNOWN, { strengths: [] })).toBe("");
  expect(priceWords({ price: { input: 2, output: 10, cached: 0.1, dated: "2026-10-21", long: null } })).toBe(
    "$2.00 / $10.00",
  );
  expect(priceWords({ price: null })).toBe("not known");
});

test("a price that the list has is not the person's own", () => {
  const known = model("m", { price: { input: 2, output: 10, cached: 0.1, dated: "2026-10-21", long: null } });
  const same = model("m", { price: { input: 2, output: 10, cached: 2, dated: "2026-10-21", long: null } });
  expect(isOfTheList({ input: 2, output: 10, cached: 0.1 }, known)).toBe(true);
  expect(isOfTheList({ input: 2, output: 10, cached: null }, known)).toBe(false);
  expect(isOfTheList({ input: 2, output: 10, cached: null }, same)).toBe(true);
  expect(isOfTheList({ input: 3, output: 10, cached: 0.1 }, known)).toBe(false);
  expect(isOfTheList(null, known)).toBe(false);
  expect(isOfTheList(null, undefined)).toBe(true);
  expect(isOfTheList({ input: 3, output: 10, cached: null }, undefined)).toBe(false);
});

test("what long questions cost is said where it differs", () => {
  const price = { input: 1.25, output: 10, cached: 0.125, dated: "2026-10-21" };
  const long = { above_tokens: 200_000, input: 2.5, output: 15, cached: 0.25 };
  expect(longWords({ ...price, long })).toBe(" A question of more than 200,000 tokens costs $2.50 / $15.00.");
  expect(longWords({ ...price, long: null })).toBe("");
  expect(longWords(null)).toBe("");
});

import { expect, test } from "vitest";
import { reviewWords, who, wish } from "./waiting";

test.each([
  ["analyst:Local Qwen", "Local Qwen"],
  ["agent:claude-code", "claude-code"],
  ["engine", "Conclave"],
  ["person", "You"],
])("%s is called %s", (actor, name) => expect(who(actor)).toBe(name));

test("a wish says who wants what, also for an action without words of its own", () => {
  expect(wish({ actor: "agent:codex", action: "call_tool", resource: "Bash" })).toBe("codex asks to use the tool Bash");
  expect(wish({ actor: "engine", action: "copy_to_scratch", resource: "/shop" })).toBe(
    "Conclave asks to copy to scratch /shop",
  );
});

test("a review says how sure a model was, and a person’s words as they are", () => {
  expect(
    reviewWords({
      by: "model",
      provider: "Here",
      model: "q",
      confidence: 0.814,
      risk_factors: ["a", "b"],
      took_ms: 5,
      at: 0,
      cached: true,
    }),
  ).toBe("Here (q), 81 % sure, asked before; sees: a, b");
  expect(reviewWords({ by: "person", justification: "it only builds", at: 0 })).toBe("You: “it only builds”");
});

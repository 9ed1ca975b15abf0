import { expect, test } from "vitest";
import type { TierView } from "../../backend/generated";
import { isSame, parseSeconds, standingWord, tierWords } from "./tiers";

const tier: TierView = { seats: ["logic", "fast"], analysis_s: 60, cap: 0.75, mode: "panel", on_demand: false };

test.each([
  ["120", 120],
  [" 3600 ", 3600],
  ["0", undefined],
  ["3601", undefined],
  ["1.5", undefined],
  ["", undefined],
])("%j is %j seconds", (text, seconds) => expect(parseSeconds(text)).toBe(seconds));

test("a tier is said in one line", () => {
  expect(tierWords(tier)).toBe("2 seats, 60 s, at most $0.75");
  expect(tierWords({ ...tier, seats: ["fast"], cap: null, mode: "staged", on_demand: true })).toBe(
    "1 seat, 60 s, no limit, three first, only on demand",
  );
});

test("what is inherited is told from what is set", () => {
  expect([true, false].map((own) => standingWord({ own }, true))).toEqual([
    "set for this project",
    "as for all projects",
  ]);
  expect([true, false].map((own) => standingWord({ own }, false))).toEqual(["set by you", "as shipped"]);
});

test("the order of seats is part of a tier", () => {
  expect(isSame(tier, { ...tier, seats: [...tier.seats] })).toBe(true);
  expect(isSame(tier, { ...tier, seats: tier.seats.toReversed() })).toBe(false);
  expect(isSame(tier, { ...tier, cap: null })).toBe(false);
});

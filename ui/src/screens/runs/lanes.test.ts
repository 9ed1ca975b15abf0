import { expect, test } from "vitest";
import type { RunRecord } from "../../api/run-log";
import { axisOf, laneWords, lanesOf } from "./lanes";

const RECORD: RunRecord = {
  finding: "f",
  progress: { finding: "f", stage: "verify", text: "", checking: null, started_at: 1_000 },
  startedAt: 1_000,
  heardAt: 9_000,
  stages: [],
  checks: [
    { fix: "x", origin: "a recipe", check: "parses", label: "Parses", from: 4_000, to: 5_000 },
    { fix: "y", origin: "Local", check: "parses", label: "Parses", from: 5_000, to: 6_000 },
    { fix: "x", origin: "a recipe", check: "rescan", label: "Re-scan", from: 6_000, to: null },
  ],
  voices: [{ seat: "Local", model: "Local", answers: [{ from: 2_000, to: 3_000 }], text: "{}", length: 2 }],
  tools: [],
};

test("models come first, then fixes in the order in which they were checked", () => {
  const lanes = lanesOf(RECORD, true, 9_000, null);
  expect(lanes.map(({ name, said }) => [name, said])).toEqual([
    ["Local", "2 characters"],
    ["Fix 1", "a recipe, Re-scan"],
    ["Fix 2", "Local, 1 check"],
  ]);
  expect(lanes[1]?.bars.map(({ to, live }) => [to, live])).toEqual([
    [5_000, false],
    [9_000, true],
  ]);
});

function words(running: boolean): string | undefined {
  return lanesOf(RECORD, running, 9_000, null).map((lane) => laneWords(lane, 1_000))[1];
}

test("what is under way is said as such, and nothing is once the run has ended", () => {
  expect(words(true)).toBe("Parses from 3.0 s for 1.0 s; Re-scan since 5.0 s");
  expect(words(false)).toBe("Parses from 3.0 s for 1.0 s; Re-scan from 5.0 s for 3.0 s");
});

test.each([
  [0, true, [0, 1_000, 2_000, 3_000, 4_000]],
  [60_000, true, [0, 15_000, 30_000, 45_000, 60_000]],
  [600_000, false, [0, 120_000, 240_000, 360_000, 480_000]],
])("an axis of %i ms has at most six marks", (passed, running, expected) => {
  const { length, ticks } = axisOf(passed, running);
  expect(length).toBeGreaterThan(passed);
  expect(ticks).toEqual(expected);
});

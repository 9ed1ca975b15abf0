import { expect, test } from "vitest";
import type { RunRecord } from "../../api/run-log";
import type { FindingView, StageTook } from "../../backend/generated";
import { row } from "../../test/row";
import { pastRun, withPast } from "./past";

const TOOK: StageTook[] = [
  { stage: "gather", took_ms: 10 },
  { stage: "propose", took_ms: 200 },
];

function record(stages: RunRecord["stages"], progress: RunRecord["progress"]): RunRecord {
  return { finding: "f", progress, startedAt: 1000, heardAt: 1500, stages, checks: [], voices: [], tools: [] };
}

test("a run that nobody heard of stands where the stored stages end", () => {
  const progress = { finding: "f", stage: "verify" as const, text: "", checking: null, started_at: 1000 };
  expect(withPast(record([], progress), TOOK).stages).toEqual([
    { stage: "gather", from: 1000, to: 1010 },
    { stage: "propose", from: 1010, to: 1210 },
    { stage: "verify", from: 1210, to: null },
  ]);
  expect(withPast(record([], { ...progress, stage: "queued" }), []).stages).toEqual([]);
});

test("only what ended before the first word is put in front of what was heard", () => {
  const heard: RunRecord["stages"] = [
    { stage: "propose", from: 1100, to: 1215 },
    { stage: "verify", from: 1215, to: null },
  ];
  expect(withPast(record(heard, undefined), TOOK).stages).toEqual([
    { stage: "gather", from: 1000, to: 1010 },
    { stage: "propose", from: 1010, to: 1215 },
    { stage: "verify", from: 1215, to: null },
  ]);
});

function evidence(check: string, outcome: string, duration_ms: number): object {
  return { check, label: check, outcome, duration_ms };
}

test("a run that is over has its stages and the checks that took place", () => {
  const fix = {
    id: "x",
    origin: "Recipe r",
    evidence: [evidence("parses", "pass", 5), evidence("builds", "not_available", 0), evidence("rescan", "fail", 20)],
  };
  const view = { row: row("f"), resolution: { fixes: [fix] } } as unknown as FindingView;
  const stages: StageTook[] = [...TOOK, { stage: "verify", took_ms: 30 }];
  expect(pastRun(view, stages)).toMatchObject({
    heardAt: 240,
    stages: [{ to: 10 }, { to: 210 }, { stage: "verify", from: 210, to: 240 }, { stage: "conclude", from: 240 }],
    checks: [
      { check: "parses", from: 210, to: 215 },
      { check: "rescan", from: 215, to: 235 },
    ],
  });
  expect(pastRun(view, [])).toBeUndefined();
  expect(pastRun({ ...view, resolution: null }, stages)).toBeUndefined();
});

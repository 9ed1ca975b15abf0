import { expect, test, vi } from "vitest";
import type { CheckingView, RunProgress, Stage } from "../backend/generated";
import { KEPT_CHARACTERS, KEPT_RUNS, RunLog } from "./run-log";

function at(finding: string, stage: Stage, checking: CheckingView | null = null, started_at = 100): RunProgress {
  return { finding, stage, text: stage, checking, started_at };
}

function check(fix: string, label: string): CheckingView {
  return { fix, origin: "a recipe", check: "rescan", label };
}

test("progress is kept by finding, and the first word of a run is told apart", () => {
  const log = new RunLog();
  const heard: number[] = [];
  const stop = log.subscribe(() => heard.push(1));
  expect(log.put(at("a", "gather"), 100)).toBe(true);
  expect(log.put(at("a", "propose"), 110)).toBe(false);
  expect(log.put(at("b", "gather"), 120)).toBe(true);
  expect(log.get("a")?.progress?.stage).toBe("propose");
  stop();
  log.put(at("a", "verify"), 130);
  expect(heard).toHaveLength(3);
});

test("stages follow each other, and a stage that comes again is another stretch", () => {
  const log = new RunLog();
  for (const [now, stage] of (["gather", "propose", "propose", "verify", "propose"] as const).entries())
    log.put(at("a", stage), 100 + now);
  expect(log.get("a")?.stages).toEqual([
    { stage: "gather", from: 100, to: 101 },
    { stage: "propose", from: 101, to: 103 },
    { stage: "verify", from: 103, to: 104 },
    { stage: "propose", from: 104, to: null },
  ]);
});

test("a check lasts until the next word of the run", () => {
  const log = new RunLog();
  log.put(at("a", "verify", check("f1", "Parses")), 100);
  log.put(at("a", "verify", check("f2", "Applies")), 150);
  log.put(at("a", "conclude"), 170);
  expect(log.get("a")?.checks.map(({ fix, label, from, to }) => [fix, label, from, to])).toEqual([
    ["f1", "Parses", 100, 150],
    ["f2", "Applies", 150, 170],
  ]);
});

test("waiting is no part of the line, and a finding that is tried again begins anew", () => {
  const log = new RunLog();
  log.put(at("a", "queued", null, 50), 50);
  expect(log.get("a")?.stages).toEqual([]);
  log.put(at("a", "gather"), 100);
  log.hear({ finding: "a", seat: "m", model: "m", text: "old", is_new: true }, 110);
  expect(log.get("a")).toMatchObject({ startedAt: 100, stages: [{ stage: "gather" }] });
  log.put(at("a", "queued", null, 200), 200);
  expect(log.get("a")).toMatchObject({ startedAt: 200, stages: [], voices: [] });
});

test("each seat has its voice, whoever speaks for it; a new answer takes the place of the last one", () => {
  const log = new RunLog();
  const say = (seat: string, text: string, is_new: boolean, now: number) =>
    log.hear({ finding: "a", seat, model: "m", text, is_new }, now);
  log.put(at("a", "propose"), 100);
  say("m", "", true, 110);
  say("m", "one", false, 120);
  say("m, answer 2", "other", true, 125);
  say("m", " two", false, 130);
  say("m", "anew", true, 140);
  expect(log.get("a")?.voices).toEqual([
    {
      seat: "m",
      model: "m",
      answers: [
        { from: 110, to: 130 },
        { from: 140, to: 140 },
      ],
      text: "anew",
      length: 4,
    },
    { seat: "m, answer 2", model: "m", answers: [{ from: 125, to: 125 }], text: "other", length: 5 },
  ]);
});

test("of a long answer the end is kept, and what comes together is told together", () => {
  vi.useFakeTimers();
  const log = new RunLog();
  let heard = 0;
  log.subscribe(() => (heard += 1));
  log.hear({ finding: "a", seat: "m", model: "m", text: "a".repeat(KEPT_CHARACTERS), is_new: true }, 100);
  log.hear({ finding: "a", seat: "m", model: "m", text: "end", is_new: false }, 101);
  expect(heard).toBe(0);
  vi.runAllTimers();
  expect(heard).toBe(1);
  const [voice] = log.all()[0]?.voices ?? [];
  expect(voice?.text).toHaveLength(KEPT_CHARACTERS);
  expect(voice?.text.endsWith("aend")).toBe(true);
  expect(voice?.length).toBe(KEPT_CHARACTERS + 3);
  vi.useRealTimers();
});

test("the oldest runs are forgotten", () => {
  const log = new RunLog();
  for (let run = 0; run <= KEPT_RUNS; run += 1) log.put(at(`f${run}`, "gather", null, run), run);
  expect(log.get("f0")).toBeUndefined();
  expect(log.all()).toHaveLength(KEPT_RUNS);
  expect(log.all()[0]?.finding).toBe(`f${KEPT_RUNS}`);
});

/** A run that the page has not heard whole, put together from what is stored: how long each stage took. Pure. */
import type { CheckStretch, RunRecord, StageStretch } from "../../api/run-log";
import type { FindingView, StageTook } from "../../backend/generated";

/** What is known of the last run of a finding: what was heard of it, and what is stored. */
export function recordOf(
  view: FindingView,
  heard: RunRecord | undefined,
  running: boolean,
  stages: readonly StageTook[],
): RunRecord | undefined {
  if (heard !== undefined) return withPast(heard, stages);
  if (!running) return pastRun(view, stages);
  if (view.running === null) return undefined;
  const { finding, started_at: startedAt } = view.running;
  const known = {
    finding,
    progress: view.running,
    startedAt,
    heardAt: startedAt,
    stages: [],
    checks: [],
    voices: [],
    tools: [],
  };
  return withPast(known, stages);
}

/** The stretches of `stages`, each after the one before, the first at `from`. */
export function stretchesOf(stages: readonly StageTook[], from: number): (StageStretch & { to: number })[] {
  let at = from;
  return stages.map(({ stage, took_ms }) => {
    const begin = at;
    at += took_ms;
    return { stage, from: begin, to: at };
  });
}

/** What was heard of a run under way, with the stages in front that ended before anybody listened. */
export function withPast(record: RunRecord, stages: readonly StageTook[]): RunRecord {
  const { startedAt, progress } = record;
  const [first, ...later] = record.stages;
  const past = stretchesOf(stages, startedAt);
  if (first === undefined) {
    const from = past.at(-1)?.to ?? startedAt;
    const open =
      progress === undefined || progress.stage === "queued" ? [] : [{ stage: progress.stage, from, to: null }];
    return { ...record, stages: [...past, ...open] };
  }
  const unheard = past.filter(({ to }) => to <= first.from);
  // It may have been heard of in the midst of it.
  const from = unheard.at(-1)?.to ?? first.from;
  return { ...record, stages: [...unheard, { ...first, from }, ...later] };
}

/** A run that is over, from how long its stages took and what its checks say of themselves. */
export function pastRun({ row, resolution }: FindingView, stages: readonly StageTook[]): RunRecord | undefined {
  if (resolution === null || stages.length === 0) return undefined;
  const stretches: StageStretch[] = stretchesOf(stages, 0);
  const end = stretches.at(-1)?.to ?? 0;
  const checked = stretches.find(({ stage }) => stage === "verify")?.from ?? 0;
  const checks = resolution.fixes.flatMap(({ id, origin, evidence }): CheckStretch[] => {
    let at = checked;
    // What did not run took no time and has no place on the line.
    return evidence
      .filter(({ outcome, duration_ms }) => duration_ms > 0 || (outcome !== "not_run" && outcome !== "not_available"))
      .map(({ check, label, duration_ms }) => {
        const from = at;
        at += duration_ms;
        return { fix: id, origin, check, label, from, to: at };
      });
  });
  return {
    finding: row.id,
    progress: undefined,
    startedAt: 0,
    heardAt: end,
    stages: [...stretches, { stage: "conclude", from: end, to: end }],
    checks,
    voices: [],
    tools: [],
  };
}

/** The lanes of a timeline: one for each seat that a model speaks for and one for each fix that is checked. Pure. */
import type { RunRecord } from "../../api/run-log";
import type { CheckOutcome, ResolutionView } from "../../backend/generated";
import { count, duration } from "../../format";

/** A piece of a lane; the end of one that goes on is now. */
export type Bar = { from: number; to: number; label: string; live: boolean; outcome: CheckOutcome | null };

export type Lane = { id: string; kind: "model" | "fix"; name: string; said: string; bars: Bar[] };

export function lanesOf(record: RunRecord, running: boolean, now: number, resolution: ResolutionView | null): Lane[] {
  return [...modelLanes(record, running, now), ...fixLanes(record, running, now, resolution)];
}

function modelLanes({ voices, progress }: RunRecord, running: boolean, now: number): Lane[] {
  const asking = running && (progress === undefined || progress.stage === "propose");
  return voices.map(({ seat, model, answers, length }) => ({
    id: `model ${seat}`,
    kind: "model",
    // Another model may stand in for the one that the seat is named after.
    name: seat.startsWith(model) ? seat : `${seat}: ${model}`,
    said: `${count(length, "character")}${answers.length > 1 ? `, answer ${answers.length}` : ""}`,
    bars: answers.map(({ from, to }, index) => {
      const live = asking && index === answers.length - 1;
      const label = answers.length > 1 ? `Answer ${index + 1}` : "Answer";
      return { from, to: live ? now : to, label, live, outcome: null };
    }),
  }));
}

function fixLanes({ checks }: RunRecord, running: boolean, now: number, resolution: ResolutionView | null): Lane[] {
  const fixes = [...new Set(checks.map(({ fix }) => fix))];
  return fixes.map((fix, index) => {
    const mine = checks.filter((check) => check.fix === fix);
    const evidence = resolution?.fixes.find(({ id }) => id === fix)?.evidence ?? [];
    const bars = mine.map(({ from, to, check, label }) => ({
      from,
      to: to ?? now,
      label,
      live: running && to === null,
      outcome: evidence.find((rung) => rung.check === check)?.outcome ?? null,
    }));
    const last = bars.at(-1);
    return {
      id: `fix ${fix}`,
      kind: "fix",
      name: `Fix ${index + 1}`,
      said: [mine[0]?.origin, last?.live === true ? last.label : count(bars.length, "check")].join(", "),
      bars,
    };
  });
}

/** A lane in one sentence, for those who do not see the bars. */
export function laneWords({ bars }: Lane, start: number): string {
  return bars
    .map(({ label, from, to, live }) =>
      live
        ? `${label} since ${duration(from - start)}`
        : `${label} from ${duration(from - start)} for ${duration(to - from)}`,
    )
    .join("; ");
}

/** Distances between the marks of an axis, in milliseconds. */
const STEPS = [1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];

/** The least that a timeline shows, in milliseconds. */
const LEAST_MS = 5_000;

/** What an axis shows of a run that has taken `passed`: its length, and where its marks stand, in milliseconds. */
export function axisOf(passed: number, running: boolean): { length: number; ticks: number[] } {
  const length = Math.max(LEAST_MS, running ? passed * 1.15 : passed * 1.02);
  const step = STEPS.find((one) => length / one <= 6) ?? 3_600_000;
  const ticks = Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
  // The last mark needs room for its own words.
  return { length, ticks: ticks.filter((tick) => tick <= length * 0.95) };
}

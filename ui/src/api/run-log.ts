/**
 * What this page has heard of runs: where each is, which check looks at which fix, and what models say meanwhile.
 *
 * It is the past of what the core tells, with the moments at which it was heard, and it ends with the page. Nothing here
 * says how a run ended: that is asked of the core.
 */
import type { CheckingView, Event, RunProgress, Stage, ToolUseView } from "../backend/generated";

/** Something that takes its time; `to` is open while it goes on. */
export type Stretch = { from: number; to: number | null };

export type StageStretch = Stretch & { stage: Stage };

/** A check of a fix. */
export type CheckStretch = Stretch & CheckingView;

/** What is said for one seat, by the model that speaks now. The last answer counts; of the ones before, only when they came is kept. */
export type Voice = {
  seat: string;
  model: string;
  answers: { from: number; to: number }[];
  text: string;
  length: number;
};

export type RunRecord = {
  finding: string;
  /** The last that was heard; `undefined` where the page came when models were speaking already. */
  progress: RunProgress | undefined;
  startedAt: number;
  heardAt: number;
  stages: StageStretch[];
  checks: CheckStretch[];
  voices: Voice[];
  /** The tools that were used, in the order of their answers. */
  tools: ToolMoment[];
};

/** A tool that was used, and when its answer was heard. */
export type ToolMoment = { at: number; used: ToolUseView };

type Delta = Omit<Extract<Event, { kind: "delta" }>, "kind">;

/** So many characters of an answer are kept, the last ones. */
export const KEPT_CHARACTERS = 20_000;

/** So many runs are remembered. */
export const KEPT_RUNS = 50;

/** Text that comes within this time is shown together, in milliseconds. */
const TOGETHER_MS = 50;

/** Every run that this page has heard of, by finding; a finding that is tried again begins anew. */
export class RunLog {
  #runs = new Map<string, RunRecord>();
  #list: readonly RunRecord[] = [];
  #listeners = new Set<() => void>();
  #soon: ReturnType<typeof setTimeout> | undefined;

  /** Takes `progress`; true when its finding was not known to run. */
  put(progress: RunProgress, now: number): boolean {
    const known = this.#runs.get(progress.finding);
    const goesOn = known?.startedAt === progress.started_at && progress.stage !== "queued";
    this.#keep(moved(goesOn ? known : begun(progress.finding, progress.started_at), progress, now));
    this.#tell();
    return known === undefined;
  }

  /** Takes what a model says. */
  hear(delta: Delta, now: number): void {
    const known = this.#runs.get(delta.finding) ?? begun(delta.finding, now);
    this.#keep({ ...known, heardAt: now, voices: spoken(known.voices, delta, now) });
    this.#soon ??= setTimeout(() => this.#tell(), TOGETHER_MS);
  }

  /** Takes the use of a tool. */
  use({ finding, used }: Omit<Extract<Event, { kind: "tool" }>, "kind">, now: number): void {
    const known = this.#runs.get(finding) ?? begun(finding, now);
    this.#keep({ ...known, heardAt: now, tools: [...known.tools, { at: now, used }] });
    this.#soon ??= setTimeout(() => this.#tell(), TOGETHER_MS);
  }

  get(finding: string): RunRecord | undefined {
    return this.#runs.get(finding);
  }

  /** The latest first. */
  all(): readonly RunRecord[] {
    return this.#list;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #keep(record: RunRecord): void {
    this.#runs.set(record.finding, record);
    if (this.#runs.size <= KEPT_RUNS) return;
    const oldest = [...this.#runs.values()].reduce((a, b) => (b.heardAt < a.heardAt ? b : a));
    this.#runs.delete(oldest.finding);
  }

  #tell(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#list = [...this.#runs.values()].toSorted((a, b) => b.startedAt - a.startedAt);
    for (const listener of this.#listeners) listener();
  }
}

function begun(finding: string, startedAt: number): RunRecord {
  return { finding, progress: undefined, startedAt, heardAt: startedAt, stages: [], checks: [], voices: [], tools: [] };
}

function moved(record: RunRecord, progress: RunProgress, now: number): RunRecord {
  const { stage, checking } = progress;
  // What waits is not on the line: a run begins when it is taken.
  const same = stage === "queued" || record.stages.at(-1)?.stage === stage;
  const closed = ended(record.checks, now);
  return {
    ...record,
    progress,
    heardAt: now,
    stages: same ? record.stages : [...ended(record.stages, now), { stage, from: now, to: null }],
    checks: checking === null ? closed : [...closed, { ...checking, from: now, to: null }],
  };
}

function spoken(voices: readonly Voice[], { seat, model, text, is_new }: Delta, now: number): Voice[] {
  const known = voices.find((voice) => voice.seat === seat);
  if (known === undefined || is_new) {
    const voice: Voice = {
      seat,
      model,
      answers: [...(known?.answers ?? []), { from: now, to: now }],
      text: text.slice(-KEPT_CHARACTERS),
      length: text.length,
    };
    return known === undefined ? [...voices, voice] : voices.map((one) => (one === known ? voice : one));
  }
  const last = known.answers.at(-1);
  const voice: Voice = {
    seat,
    model,
    answers: last === undefined ? [] : [...known.answers.slice(0, -1), { ...last, to: now }],
    text: (known.text + text).slice(-KEPT_CHARACTERS),
    length: known.length + text.length,
  };
  return voices.map((one) => (one === known ? voice : one));
}

/** `stretches`, of which none goes on after `now`. */
function ended<S extends Stretch>(stretches: readonly S[], now: number): S[] {
  return stretches.map((stretch) => (stretch.to === null ? { ...stretch, to: now } : stretch));
}

/** What a tier says, in words, and what is typed for one. Pure. */
import type { TierRow, TierView } from "../../backend/generated";
import { count } from "../../format";
import { money } from "../../money";

/** As long as anybody waits for answers, in seconds. */
const MOST_SECONDS = 3_600;

/** A number of seconds, or `undefined` where that is none that is allowed. */
export function parseSeconds(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^[1-9]\d{0,3}$/.test(trimmed)) return undefined;
  return Number(trimmed) <= MOST_SECONDS ? Number(trimmed) : undefined;
}

export function capWords({ cap }: Pick<TierView, "cap">): string {
  return cap === null ? "no limit" : money(cap);
}

/** `5 seats, 120 s, at most $1.50`. */
export function tierWords(tier: TierView): string {
  const { seats, analysis_s, cap, mode, on_demand } = tier;
  const parts = [count(seats.length, "seat"), `${analysis_s} s`, cap === null ? "no limit" : `at most ${money(cap)}`];
  if (mode === "samples") parts.push("one model for all seats");
  if (mode === "staged") parts.push("three first");
  if (mode === "chain") parts.push("one after another");
  if (on_demand) parts.push("only on demand");
  return parts.join(", ");
}

/** Where a tier comes from. */
export function standingWord({ own }: Pick<TierRow, "own">, inProject: boolean): string {
  if (inProject) return own ? "set for this project" : "as for all projects";
  return own ? "set by you" : "as shipped";
}

export function isSame(a: TierView, b: TierView): boolean {
  return (
    a.analysis_s === b.analysis_s &&
    a.cap === b.cap &&
    a.mode === b.mode &&
    a.on_demand === b.on_demand &&
    a.seats.join() === b.seats.join()
  );
}

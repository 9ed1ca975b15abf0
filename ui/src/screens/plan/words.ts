/** What a plan says, in words, and what it is asked with. Pure. */
import type { MoneyRange, PlanRuns, PlannedCost, PlannedRun } from "../../backend/generated";
import { count } from "../../format";
import { money, parseMoney } from "../../money";
import type { PlanPlace } from "../../routes";

/** A limit that cannot be read limits nothing yet: its field says what is wrong. */
export function planRequest({ project, findings, budget, most }: PlanPlace): PlanRuns {
  return {
    findings: [...findings],
    project,
    severity: null,
    budget: parseMoney(budget) ?? null,
    most: parseMost(most) ?? null,
  };
}

/** How many findings at most: a number from 1, nothing (`null`), or no number at all (`undefined`). */
export function parseMost(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  return /^[1-9]\d{0,6}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** `$0.02`, or `$0.034 to $0.13`: two digits that count, the low end rounded down and the high one up. */
export function rangeWords({ low, high }: MoneyRange): string {
  const [from, to] = [rounded(low, Math.floor), rounded(high, Math.ceil)];
  return from === to ? to : `${from} to ${to}`;
}

function rounded(amount: number | null, round: (amount: number) => number): string {
  if (amount === null || amount === 0) return money(amount);
  const millionths = Math.round(amount * 1e6);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(millionths)) - 1);
  // Cents and less are cut, whole dollars are not.
  const unit = Math.min(step, 10_000);
  return money((round(millionths / unit) * unit) / 1e6);
}

/** What seats cost together; who costs nothing known is named, never counted as nothing. */
export function costWords({ known, unknown }: PlannedCost, asked: number): string {
  if (asked === 0) return "nothing";
  if (asked === unknown) return "not known";
  return rangeWords(known);
}

/** What a sum leaves out; `null` where it is whole. */
export function unknownWords({ unknown }: PlannedCost): string | null {
  return unknown === 0 ? null : `and ${count(unknown, "question")} whose price is not known`;
}

/** Who would be asked, in a few words. */
export function seatsWords({ seats, filled, unpaid }: PlannedRun): string {
  const free = unpaid.length > 0 ? count(unpaid.length, "seat that costs nothing", "seats that cost nothing") : "";
  if (seats.length === 0) return free === "" ? "nobody" : free;
  return `${filled} of ${count(seats.length, "model seat")}`;
}

/** A time for answers: `45 s`, `4 min`, `1 h 20 min`. */
export function atMostTime(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest > 0 ? ` ${rest} min` : ""}`;
}

/**
 * Which notices are up, as data: what one said last, below every failure that nobody has closed yet. Pure.
 *
 * They answer what somebody did; what happens by itself stands in the status strip, where it moves nothing. A failure is never displaced. Anything else is about the place where it was said and goes with it.
 */
import type { ApiError, ImportView, ScanView } from "../../backend/generated";
import { count, sentence } from "../../format";
import type { Place } from "../../routes";

export type Notice = {
  tone: "plain" | "pass" | "fail";
  title: string;
  lines?: readonly string[];
  action?: { label: string; run: () => void };
  error?: ApiError;
};

/** A notice that is up: `id` tells it from all others, `where` is the place that it was said at. */
export type Shown = Notice & { id: number; where: string };

/** What a notice is about: one finding, or a screen. */
export function whereOf(place: Place): string {
  return place.screen === "finding" ? `finding/${place.finding}` : place.screen;
}

/**
 * Adds `next`, below the failures. It takes the place of what was said before it, but a failure leaves what was done
 * up, with the way to undo it.
 */
export function added(shown: readonly Shown[], next: Shown): readonly Shown[] {
  const failures = shown.filter((one) => one.tone === "fail" && !sameFailure(one, next));
  const done = shown.filter(({ tone }) => tone === "pass");
  if (next.tone === "fail") return [...failures, next, ...done];
  return [...failures, next];
}

/** What stays up when one is at `where`. */
export function staying(shown: readonly Shown[], where: string): readonly Shown[] {
  const left = shown.filter((one) => one.tone === "fail" || one.where === where);
  return left.length === shown.length ? shown : left;
}

function sameFailure(one: Shown, other: Shown): boolean {
  return other.tone === "fail" && one.title === other.title && String(one.lines) === String(other.lines);
}

/** How many complaints a notice quotes; the scans of the project list the rest. */
const QUOTED = 3;

/** What an import or a scan brought. One that failed is said to have failed, whatever else came with it. */
export function noticeOfImport(what: string, { scans }: ImportView): Notice {
  const failed = scans.filter((scan) => scan.state === "failed");
  const results = scans.reduce((sum, scan) => sum + scan.results, 0);
  const fresh = scans.reduce((sum, scan) => sum + scan.new_findings, 0);
  const lines = scans.flatMap(linesOf);
  if (scans.length === 0)
    return { tone: "fail", title: `${what}: no scan was in it`, lines: ["Nothing can be said from it."] };
  if (failed.length > 0) {
    const names = failed.map((scan) => scan.tool).join(", ");
    return { tone: "fail", title: `The scan by ${names} failed: that is not a clean result`, lines };
  }
  return { tone: "pass", title: `${what}: ${count(results, "result")}, ${fresh} new`, lines };
}

function linesOf(scan: ScanView): string[] {
  const lines: string[] = [];
  if (scan.state === "failed")
    lines.push(`${scan.tool}: ${sentence(scan.reason ?? "it gives no reason")} Its silence proves nothing.`);
  if (scan.complaint_count > 0) {
    const quoted = scan.complaints.slice(0, QUOTED).join("; ");
    lines.push(`${scan.tool}: ${count(scan.complaint_count, "part")} could not be used: ${quoted}`);
  }
  return lines;
}

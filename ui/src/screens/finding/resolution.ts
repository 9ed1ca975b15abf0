/** Small readings of a resolution. Pure. */
import type { CheckOutcome, EvidenceView, FixView, ResolutionView } from "../../backend/generated";

export function recommendedOf(resolution: ResolutionView | null): FixView | undefined {
  return resolution?.fixes.find((fix) => fix.id === resolution.recommended);
}

const FAILED = new Set<CheckOutcome>(["fail", "flaky", "error"]);

/** Why a fix is not offered, in a word: a check stopped it, or too little speaks for it, or another stands for it. */
export function stopWord({ evidence, stopped }: FixView): "Stopped" | "Not offered" {
  const says = ({ outcome, summary }: EvidenceView) => FAILED.has(outcome) && summary === stopped;
  return evidence.some(says) ? "Stopped" : "Not offered";
}

/** How much a fix changes. */
export function changeOf({ files }: FixView): { files: FixView["files"]; added: number; removed: number } {
  return {
    files,
    added: files.reduce((sum, file) => sum + file.added, 0),
    removed: files.reduce((sum, file) => sum + file.removed, 0),
  };
}

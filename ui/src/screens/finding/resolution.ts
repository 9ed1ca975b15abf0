/** Small readings of a resolution. Pure. */
import type { FixView, ResolutionView } from "../../backend/generated";

export function recommendedOf(resolution: ResolutionView | null): FixView | undefined {
  return resolution?.fixes.find((fix) => fix.id === resolution.recommended);
}

/** How much a fix changes. */
export function changeOf({ files }: FixView): { files: FixView["files"]; added: number; removed: number } {
  return {
    files,
    added: files.reduce((sum, file) => sum + file.added, 0),
    removed: files.reduce((sum, file) => sum + file.removed, 0),
  };
}

/** The change of a fix as a unified diff, to be copied. Pure. */
import type { DiffLine, FileDiff, Hunk, LineKind } from "../backend/generated";

const SIGN: Record<LineKind, string> = { same: " ", added: "+", removed: "-" };

export function patchText(files: readonly FileDiff[]): string {
  return files.map(({ path, hunks }) => `--- a/${path}\n+++ b/${path}\n${hunks.map(hunkText).join("")}`).join("");
}

function hunkText({ lines }: Hunk): string {
  const body = lines.map((line) => `${SIGN[line.kind]}${textOf(line)}\n`).join("");
  return `@@ -${range(lines, "old")} +${range(lines, "new")} @@\n${body}`;
}

/** `start,length` of one side; an empty side starts at 0, as `patch` wants it for a whole file. */
function range(lines: readonly DiffLine[], side: "old" | "new"): string {
  const numbers = lines.flatMap((line) => line[side] ?? []);
  return `${numbers[0] ?? 0},${numbers.length}`;
}

export function textOf(line: DiffLine): string {
  return line.pieces.map((piece) => piece.text).join("");
}

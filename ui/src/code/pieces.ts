/** Cuts a line where its colours and its marks begin and end. Pure. */
import type { Token, TokenClass } from "./highlight";

export type Range = { from: number; to: number };
type Piece = { text: string; token: TokenClass | null; marked: boolean };

export function piecesOf(line: string, tokens: readonly Token[], marks: readonly Range[], start = 0): Piece[] {
  const cuts = new Set([start, line.length]);
  for (const { from, to } of [...tokens, ...marks]) {
    cuts.add(clamp(from, start, line.length));
    cuts.add(clamp(to, start, line.length));
  }
  const ends = [...cuts].toSorted((a, b) => a - b);
  return ends.slice(1).map((to, index) => {
    const from = ends[index] ?? 0;
    const inside = (range: Range) => range.from <= from && range.to >= to;
    return {
      text: line.slice(from, to),
      token: tokens.findLast(inside)?.token ?? null,
      marked: marks.some(inside),
    };
  });
}

/** How many blanks all lines that are not blank begin with; lines that mix tabs and spaces share none. */
export function commonIndent(lines: readonly string[]): number {
  const indents = lines.filter((line) => line.trim() !== "").map((line) => /^\s*/.exec(line)?.[0] ?? "");
  const [first = ""] = indents.toSorted((a, b) => a.length - b.length);
  return indents.every((indent) => indent.startsWith(first)) ? first.length : 0;
}

function clamp(at: number, start: number, end: number): number {
  return Math.min(Math.max(start, at), end);
}

/** Cuts a line where its colours and its marks begin and end. Pure. */
import type { Token, TokenClass } from "./highlight";

export type Range = { from: number; to: number };
export type Piece = { text: string; token: TokenClass | null; marked: boolean };

export function piecesOf(line: string, tokens: readonly Token[], marks: readonly Range[]): Piece[] {
  const cuts = new Set([0, line.length]);
  for (const { from, to } of [...tokens, ...marks]) {
    cuts.add(clamp(from, line.length));
    cuts.add(clamp(to, line.length));
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

function clamp(at: number, length: number): number {
  return Math.min(Math.max(0, at), length);
}

/** The cursor of a list whose rows may not be there yet: an id in the address, a position on the screen. */
import { useEffect, useState } from "react";
import type { FindingRow } from "../../backend/generated";

type Cursor = {
  /** From 0. */
  at: number;
  row: FindingRow | undefined;
  moveTo: (position: number) => void;
};

/**
 * Follows the row `id`; without one, the first row. A move onto a row that has not come yet waits for it.
 */
export function useCursor(
  id: string | null,
  count: number,
  rowAt: (position: number) => FindingRow | undefined,
  onMove: (id: string) => void,
): Cursor {
  const [pending, setPending] = useState<number | null>(null);
  const [last, setLast] = useState(0);

  const at = clamp(pending ?? findRow(id, count, rowAt, last), count);
  if (last !== at) setLast(at);
  const row = rowAt(at);
  useEffect(() => {
    if (pending === null || row === undefined) return;
    setPending(null);
    onMove(row.id);
  }, [pending, row, onMove]);

  return { at, row, moveTo: (position) => setPending(clamp(position, count)) };
}

/** Where the row is: mostly where it was, else anywhere among the rows that are there, else where it was. */
export function findRow(
  id: string | null,
  count: number,
  rowAt: (position: number) => FindingRow | undefined,
  last: number,
): number {
  if (id === null) return 0;
  if (rowAt(last)?.id === id) return last;
  for (let position = 0; position < count; position += 1) if (rowAt(position)?.id === id) return position;
  return last;
}

function clamp(position: number, count: number): number {
  return Math.max(0, Math.min(position, count - 1));
}

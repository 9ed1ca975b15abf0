import type { FindingRow } from "../backend/generated";

/** A row of a list, plain but for what a test says. */
export function row(id: string, change: Partial<FindingRow> = {}): FindingRow {
  return {
    id,
    project: "p1",
    title: "SQL built from a request",
    severity: "high",
    status: "open",
    stale: false,
    tool: "scanner",
    rule: "sql",
    cwe: [89],
    path: "shop/orders.py",
    line: 12,
    confidence: null,
    note: "",
    first_seen_at: 0,
    ...change,
  };
}

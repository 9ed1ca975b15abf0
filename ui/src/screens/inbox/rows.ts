/** How rows are laid out in the list: as they come, or under their rule. Pure. */
import type { FindingRow } from "../../backend/generated";

export const ROW_HEIGHT = 44;
export const GROUP_HEIGHT = 28;

export type GroupItem = { kind: "group"; rule: string; tool: string; cwe: number[]; count: number; open: boolean };
type RowItem = { kind: "row"; row: FindingRow };
export type Item = GroupItem | RowItem;

/** Rows under their tool and rule; groups stand in the order of their first row. Closed groups show no rows. */
export function groupByRule(rows: readonly FindingRow[], closed: ReadonlySet<string>): Item[] {
  const groups = new Map<string, FindingRow[]>();
  for (const row of rows) {
    const members = groups.get(groupKey(row));
    if (members === undefined) groups.set(groupKey(row), [row]);
    else members.push(row);
  }
  return [...groups].flatMap(([key, members]): Item[] => {
    const [first] = members;
    if (first === undefined) return [];
    const open = !closed.has(key);
    const head: GroupItem = {
      kind: "group",
      rule: first.rule,
      tool: first.tool,
      cwe: first.cwe,
      count: members.length,
      open,
    };
    return [head, ...(open ? members.map((row): RowItem => ({ kind: "row", row })) : [])];
  });
}

export function groupKey({ tool, rule }: { tool: string; rule: string }): string {
  return `${tool} ${rule}`;
}

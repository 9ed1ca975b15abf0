/** The findings as one virtual listbox: only rows in sight exist, the cursor is its active descendant. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import { useProgress } from "../../api/events";
import type { FindingRow } from "../../backend/generated";
import { Gauge } from "../../components/gauge";
import { Mark } from "../../components/mark";
import { SeverityWord, StateWord, changedByOthers } from "../../components/words";
import { age, place } from "../../format";
import styles from "./list.module.css";
import { GROUP_HEIGHT, type GroupItem, type Item, ROW_HEIGHT } from "./rows";

export type ListHandle = { focus: () => void; show: (index: number) => void; pageSize: () => number };

type Props = {
  label: string;
  /** How many lines there are, group heads included. */
  count: number;
  /** All lines where they are known and differ in height; `null` for plain rows. */
  grouped: readonly Item[] | null;
  itemAt: (index: number) => Item | undefined;
  /** The position of a row among all rows, from 1. */
  positionOf: (index: number) => number;
  total: number;
  cursor: string | null;
  selected: ReadonlySet<string>;
  now: number;
  onRange: (first: number, last: number) => void;
  onCursor: (id: string) => void;
  onOpen: (id: string) => void;
  onSelect: (id: string) => void;
  onFold: (group: GroupItem) => void;
  handle: Ref<ListHandle>;
};

export function FindingList(props: Props) {
  const { count, grouped, itemAt, cursor, onRange } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (grouped?.[index]?.kind === "group" ? GROUP_HEIGHT : ROW_HEIGHT),
    overscan: 8,
  });
  // Heights follow from the kinds of the lines, so they are taken anew when these change.
  useEffect(() => {
    virtual.measure();
  }, [virtual, grouped]);

  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onRange(first, last), [onRange, first, last]);

  useImperativeHandle(props.handle, () => ({
    focus: () => scroller.current?.focus(),
    show: (index) => virtual.scrollToIndex(index, { align: "auto" }),
    pageSize: () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1),
  }));

  return (
    <div
      ref={scroller}
      className={styles.rows}
      role="listbox"
      aria-label={props.label}
      aria-multiselectable="true"
      aria-activedescendant={cursor === null ? undefined : optionId(cursor)}
      tabIndex={0}
    >
      <div className={styles.all} style={{ height: virtual.getTotalSize() }} role="presentation">
        {items.map(({ index, start, size }) => {
          const item = itemAt(index);
          const style = { transform: `translateY(${start}px)`, height: size };
          if (item === undefined)
            return <div key={index} className={styles.loading} style={style} role="presentation" />;
          if (item.kind === "group")
            return <Group key={`g ${item.tool} ${item.rule}`} group={item} style={style} onFold={props.onFold} />;
          return (
            <Row
              key={item.row.id}
              row={item.row}
              style={style}
              position={props.positionOf(index)}
              total={props.total}
              current={item.row.id === cursor}
              selected={props.selected.has(item.row.id)}
              now={props.now}
              onCursor={props.onCursor}
              onOpen={props.onOpen}
              onSelect={props.onSelect}
            />
          );
        })}
      </div>
    </div>
  );
}

function optionId(finding: string): string {
  return `finding-${finding}`;
}

type Placed = { transform: string; height: number };

function Group({ group, style, onFold }: { group: GroupItem; style: Placed; onFold: (group: GroupItem) => void }) {
  return (
    // A pointer may fold a group; by keyboard the filter `rule:` does more.
    <div className={styles.group} style={style} role="presentation" onClick={() => onFold(group)}>
      <Mark name={group.open ? "down" : "right"} size={10} />
      <code className="cut">{group.rule}</code>
      {group.cwe.length > 0 && <span>{group.cwe.map((n) => `CWE-${n}`).join(", ")}</span>}
      <span className="faint">{group.count}</span>
      <span className={styles.tool}>{group.tool}</span>
    </div>
  );
}

type RowProps = {
  row: FindingRow;
  style: Placed;
  position: number;
  total: number;
  current: boolean;
  selected: boolean;
  now: number;
} & Pick<Props, "onCursor" | "onOpen" | "onSelect">;

function Row({ row, style, position, total, current, selected, now, onCursor, onOpen, onSelect }: RowProps) {
  const progress = useProgress(row.id);
  const note = row.status === "running" ? (progress?.text ?? row.note) : row.note;
  return (
    // The listbox has the keyboard.
    <div
      id={optionId(row.id)}
      role="option"
      aria-selected={selected}
      aria-posinset={position}
      aria-setsize={total}
      aria-current={current ? "true" : undefined}
      className={styles.row}
      style={style}
      onClick={() => onCursor(row.id)}
      onDoubleClick={() => onOpen(row.id)}
    >
      <span
        className={styles.box}
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation();
          onSelect(row.id);
        }}
      >
        <span>{selected && <Mark name="tick" size={10} />}</span>
      </span>
      <SeverityWord severity={row.severity} />
      <div className={styles.what}>
        <span className="cut" title={row.title}>
          {row.title}
        </span>
        <code className="cut">
          {place(row.path, row.line)}
          {changedByOthers(row) && <em className={styles.stale}>file changed since</em>}
        </code>
      </div>
      <div className={styles.state}>
        <StateWord row={row} />
        <span className="cut" title={note}>
          {note}
        </span>
      </div>
      <div className={styles.sure}>
        {row.confidence !== null && (
          <>
            <Gauge of={row.confidence} />
            <span className="cut">{row.confidence.word}</span>
          </>
        )}
      </div>
      <span className={styles.age}>{age(row.first_seen_at, now)}</span>
    </div>
  );
}

/** The inbox: which findings there are, where each stands, and what to do about it. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { PAGE, useFindingWindow } from "../../api/finding-window";
import type { FindingRow, ProjectView } from "../../backend/generated";
import { type Actions, notYet, useCommands } from "../../commands/active";
import { ErrorNote } from "../../components/error-note";
import { count } from "../../format";
import { useNow } from "../../now";
import { type ListPlace, type Place, findingAt, go } from "../../routes";
import { useSettled } from "../../settled";
import { DismissDialog } from "../finding/dismiss";
import { useProjectChanges } from "../frame/projects";
import { useInboxActions } from "./actions";
import { useCursor } from "./cursor";
import { EmptyList } from "./empty";
import { FilterBar } from "./filter-bar";
import { InboxFooter } from "./footer";
import styles from "./inbox.module.css";
import { FindingList, type ListHandle } from "./list";
import listStyles from "./list.module.css";
import { Peek, SelectionPeek } from "./peek";
import { type Item, groupByRule, groupKey } from "./rows";
import { Scans } from "./scans";
import { VIEW_NAMES } from "./views";

type InboxPlace = Extract<Place, { screen: "inbox" }>;

/** How long the cursor rests before the panel follows, in milliseconds. */
const REST_MS = 80;

const NOT_YET = notYet("inbox", "The findings are still being read: press again when they are there");

export function Inbox({ place, project }: { place: InboxPlace; project: ProjectView }) {
  const changes = useProjectChanges();
  const now = useNow();
  const filter = useRef<HTMLInputElement>(null);
  const pathInput = useRef<HTMLInputElement>(null);
  const list = useRef<ListHandle>(null);
  const [scansOpen, setScansOpen] = useState(false);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [range, setRange] = useState<readonly [number, number]>([0, 0]);
  const [kept, setKept] = useState(0);
  const [dismissing, setDismissing] = useState<readonly string[] | null>(null);

  const query = useSettled(place.query, REST_MS);
  const found = useFindingWindow({ project: project.id, view: place.view, query, sort: place.sort }, [...range, kept]);
  const { all, total, rowAt } = found;

  const grouped = useMemo(
    () => (place.group && all !== null ? groupByRule(all, closed) : null),
    [place.group, all, closed],
  );
  const rows = useMemo(
    () => grouped?.map((item, index) => ({ item, index })).filter(({ item }) => item.kind === "row"),
    [grouped],
  );
  const lineCount = grouped?.length ?? total;
  const itemAt = useCallback(
    (index: number): Item | undefined => {
      if (grouped !== null) return grouped[index];
      const row = rowAt(index);
      return row === undefined ? undefined : { kind: "row", row };
    },
    [grouped, rowAt],
  );

  const onRange = useCallback((first: number, last: number) => setRange([first, last]), []);
  const rowCount = rows?.length ?? total;
  const lineOf = (position: number) => rows?.[position]?.index ?? position;
  const rowAtPosition = (position: number): FindingRow | undefined => {
    const item = itemAt(lineOf(position));
    return item?.kind === "row" ? item.row : undefined;
  };
  const positionOfLine = (line: number) =>
    (rows === undefined ? line : rows.findIndex(({ index }) => index === line)) + 1;

  const setCursor = useCallback((id: string) => go({ ...place, at: id }, "replace"), [place]);
  const { at, row: cursor, moveTo } = useCursor(place.at, rowCount, rowAtPosition, setCursor);
  if (grouped === null && kept !== at) setKept(at);
  const resting = useSettled(cursor?.id, REST_MS);
  const move = (to: number) => {
    const position = Math.max(0, Math.min(to, rowCount - 1));
    list.current?.show(lineOf(position));
    moveTo(position);
  };
  const toggle = (id: string) => setSelected((before) => toggled(before, id));
  const open = (id: string) => go(findingAt({ ...place, at: id }, id));
  const change = (to: Partial<ListPlace>) => {
    setSelected(new Set());
    go({ ...place, ...to, at: null }, "replace");
  };

  const chosen = all?.filter(({ id }) => selected.has(id)) ?? [];
  const actions = useInboxActions({
    project,
    cursor,
    chosen,
    counts: found.counts,
    changes,
    clear: () => setSelected(new Set()),
    dismiss: setDismissing,
  });

  const here: Actions = {
    ...actions,
    "inbox.next": { run: () => move(at + 1) },
    "inbox.previous": { run: () => move(at - 1) },
    "inbox.page.down": { run: () => move(at + (list.current?.pageSize() ?? 1)) },
    "inbox.page.up": { run: () => move(at - (list.current?.pageSize() ?? 1)) },
    "inbox.first": { run: () => move(0) },
    "inbox.last": { run: () => move(rowCount - 1) },
    // What needs no finding works meanwhile.
    ...(found.ready || found.error !== null ? {} : { ...NOT_YET, "inbox.scan": actions["inbox.scan"] }),
    "inbox.filter": { run: () => filter.current?.focus() },
    "inbox.group": { run: () => change({ group: !place.group }) },
    "inbox.import": {
      run: () => {
        setScansOpen(true);
        requestAnimationFrame(() => pathInput.current?.focus());
      },
    },
    ...(cursor === undefined
      ? {}
      : {
          "inbox.open": { run: () => open(cursor.id) },
          "inbox.select": { run: () => toggle(cursor.id) },
          "inbox.extend.down": {
            run: () => {
              setSelected((before) => new Set([...before, cursor.id]));
              move(at + 1);
            },
          },
          "inbox.extend.up": {
            run: () => {
              setSelected((before) => new Set([...before, cursor.id]));
              move(at - 1);
            },
          },
        }),
  };
  useCommands(here);

  // A list that has come shows where one is, and has the keys; whoever is in a field by then stays there.
  const { ready, fresh } = found;
  useEffect(() => {
    if (!fresh) return;
    if (!(document.activeElement instanceof HTMLInputElement)) list.current?.focus();
    list.current?.show(lineOf(at));
    // Once for every list.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [fresh]);

  const groups = grouped?.filter(({ kind }) => kind === "group").length ?? 0;
  return (
    <>
      <h1 className="heard">
        {project.name}: {VIEW_NAMES[place.view]}
      </h1>
      <div className={styles.triage}>
        <section className={styles.list} aria-label="Findings">
          <FilterBar
            list={place}
            canGroup={total <= PAGE}
            input={filter}
            onChange={change}
            onLeave={() => list.current?.focus()}
          />
          <Scans
            project={project}
            open={scansOpen}
            busy={changes.busy}
            now={now}
            pathInput={pathInput}
            onToggle={() => setScansOpen(!scansOpen)}
            onImport={(path) => changes.importLog(project.id, path)}
          />
          <div className={listStyles.cols} aria-hidden="true">
            <span />
            <span>Severity</span>
            <span className="cut">
              {count(total, "finding")}
              {groups > 0 && `, ${count(groups, "rule")}`}
            </span>
            <span>Status</span>
            <span>Confidence of best fix</span>
            <span>Age</span>
          </div>
          {found.error !== null && <ErrorNote error={found.error} onRetry={found.retry} />}
          {ready && total === 0 && (
            <EmptyList
              project={project}
              list={place}
              counts={found.counts}
              now={now}
              onClear={() => change({ query: "" })}
              onScan={() => changes.scanProject(project.id, project.name)}
            />
          )}
          {ready && total > 0 && (
            <FindingList
              label={`${VIEW_NAMES[place.view]}: ${count(total, "finding")}`}
              count={lineCount}
              grouped={grouped}
              itemAt={itemAt}
              positionOf={positionOfLine}
              total={rowCount}
              cursor={cursor?.id ?? null}
              selected={selected}
              now={now}
              onRange={onRange}
              onCursor={setCursor}
              onOpen={open}
              onSelect={toggle}
              onFold={(group) => setClosed((before) => toggled(before, groupKey(group)))}
              handle={list}
            />
          )}
        </section>
        {chosen.length > 0 ? (
          <SelectionPeek findings={chosen.map(({ id }) => id)} />
        ) : (
          cursor !== undefined && resting !== undefined && <Peek finding={resting} />
        )}
      </div>
      <InboxFooter actions={here} cursor={cursor} chosen={chosen} counts={found.counts} />
      {dismissing !== null && (
        <DismissDialog
          findings={dismissing}
          onClose={() => setDismissing(null)}
          onDone={() => setSelected(new Set())}
        />
      )}
    </>
  );
}

function toggled(set: ReadonlySet<string>, one: string): Set<string> {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
}

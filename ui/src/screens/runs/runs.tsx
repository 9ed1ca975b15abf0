/** Runs: what is under way, what ended while this window was open, and one of them over time. Live by what the core tells. */
import { useChange, useCommand } from "../../api/client";
import { useRuns } from "../../api/events";
import type { RunRecord } from "../../api/run-log";
import type { FindingRow, ListFindings } from "../../backend/generated";
import { type Action, useActiveCommands, useCommands } from "../../commands/active";
import { Button, CommandButton, IconButton } from "../../components/button";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { Mark } from "../../components/mark";
import { SectionHead } from "../../components/section";
import { count } from "../../format";
import { type Place, findingAt, go, inboxAt, planAt, runsAt } from "../../routes";
import { useNotices } from "../frame/notice";
import { Detail } from "./detail";
import { EndedRow, RunningRow } from "./list";
import styles from "./runs.module.css";

type RunsPlace = Extract<Place, { screen: "runs" }>;

/** So many runs are listed, of each kind. */
const LISTED = 200;

const UNDER_WAY: ListFindings = {
  project: null,
  view: "running",
  query: "",
  sort: "risk",
  cursor: null,
  limit: LISTED,
};

export function Runs({ place }: { place: RunsPlace }) {
  const { data, error, refetch, dataUpdatedAt } = useCommand("list_findings", UNDER_WAY);
  const records = useRuns();
  const running = inOrder(data?.items ?? [], records);
  const ended = endedOf(records, running, dataUpdatedAt);
  const listed = [...running.map(({ id }) => id), ...ended.map(({ finding }) => finding)];
  const at = place.at ?? listed[0];
  const reading = data === undefined && error === null ? "The runs are still being read: press again" : undefined;
  const show = (finding: string | null) => go(runsAt(place, finding), "replace");
  const move = (by: number) => ({
    run: () => {
      const to = listed[Math.min(listed.length - 1, Math.max(0, listed.indexOf(at ?? "") + by))];
      if (to !== undefined) show(to);
    },
    disabled: listed.length === 0 ? (reading ?? "There is no run to show") : undefined,
  });
  const open = {
    run: () => {
      if (at !== undefined) go(findingAt(place, at));
    },
    disabled: at === undefined ? (reading ?? "There is no run to open") : undefined,
  };
  const active = useActiveCommands();
  const cancelOne = useCancelOne(at !== undefined && running.some(({ id }) => id === at) ? at : null);
  useCommands({
    "runs.cancel.one": cancelOne,
    "runs.next": move(1),
    "runs.previous": move(-1),
    "runs.open": open,
    "runs.back": { run: () => (place.at === null ? go(inboxAt(place)) : show(null)) },
  });

  return (
    <>
      <div className={`${columns.columns} ${styles.columns}`} data-open={place.at !== null}>
        <section className={columns.column} aria-labelledby="runs">
          <div className={columns.bar}>
            <h1 id="runs">Runs</h1>
            {data !== undefined && (
              <span className="small faint">
                {data.total === 0 ? "nothing under way" : `${data.total} under way or waiting`}
              </span>
            )}
          </div>
          <div className={columns.scroll} tabIndex={0} role="group" aria-label="List of runs">
            {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
            {data !== undefined && listed.length === 0 && place.at === null && <None place={place} />}
            {running.length > 0 && (
              <>
                <SectionHead title="Under way" level={2} line={false} />
                <ul>
                  {running.map((row) => (
                    <RunningRow key={row.id} row={row} chosen={row.id === at} onChoose={show} />
                  ))}
                </ul>
                {data !== undefined && data.total > running.length && (
                  <p className={styles.text}>
                    and {count(data.total - running.length, "more that waits", "more that wait")}
                  </p>
                )}
              </>
            )}
            {place.at !== null && !listed.includes(place.at) && data !== undefined && (
              <>
                <SectionHead title="Earlier" level={2} line={listed.length > 0} />
                <ul>
                  <EndedRow finding={place.at} chosen onChoose={show} />
                </ul>
              </>
            )}
            {ended.length > 0 && (
              <>
                <SectionHead title="Ended" level={2} line={running.length > 0} end="since this window opened" />
                <ul>
                  {ended.map(({ finding }) => (
                    <EndedRow key={finding} finding={finding} chosen={finding === at} onChoose={show} />
                  ))}
                </ul>
              </>
            )}
          </div>
        </section>
        <section className={columns.column} aria-label="Run">
          {at !== undefined && (
            <>
              <div className={columns.back}>
                <IconButton label="Back to the list of runs" onClick={() => show(null)}>
                  <Mark name="left" />
                </IconButton>
                <span className="muted">Runs</span>
              </div>
              <Detail key={at} finding={at} running={running.some(({ id }) => id === at)} />
            </>
          )}
        </section>
      </div>
      <Footer label="Actions">
        {at !== undefined && (
          <CommandButton command="runs.open" action={open} look="primary">
            Open the finding
          </CommandButton>
        )}
        {cancelOne.disabled === undefined && (
          <CommandButton command="runs.cancel.one" action={cancelOne}>
            Cancel this run
          </CommandButton>
        )}
        {running.length > 1 && (
          <CommandButton command="runs.cancel" action={{ run: () => active.run("runs.cancel") }}>
            Cancel all runs
          </CommandButton>
        )}
        <FooterNote>Fixes are tried on a copy; your folder is not written.</FooterNote>
      </Footer>
    </>
  );
}

/** Cancels the run of `finding`, which is under way or waits; `null` where there is none. */
function useCancelOne(finding: string | null): Action {
  const cancel = useChange("cancel_run");
  const { say, sayError } = useNotices();
  return {
    run: () => {
      if (finding === null) return;
      cancel.mutate(
        { finding },
        {
          onSuccess: ({ was_under_way }) =>
            say({
              tone: "plain",
              title: was_under_way ? "Run cancelled" : "Run taken out of the queue",
              lines: ["Nothing was written; the finding stands as before."],
            }),
          onError: (error) => sayError("The run was not cancelled", error),
        },
      );
    },
    disabled: finding === null ? "This run is not under way" : cancel.isPending ? "It is being cancelled" : undefined,
  };
}

/** What is heard of first, in the order in which it began; then what waits. */
function inOrder(rows: readonly FindingRow[], records: readonly RunRecord[]): FindingRow[] {
  const begun = new Map(
    records.filter(({ stages }) => stages.length > 0).map(({ finding, startedAt }) => [finding, startedAt]),
  );
  const start = ({ id }: FindingRow) => begun.get(id) ?? Number.MAX_SAFE_INTEGER;
  return rows.toSorted((a, b) => start(a) - start(b));
}

/** Runs that began and are no longer in the list, which was asked for after they were heard last. */
function endedOf(records: readonly RunRecord[], running: readonly FindingRow[], asked: number): RunRecord[] {
  return records.filter(
    ({ finding, stages, voices, heardAt }) =>
      stages.length + voices.length > 0 && heardAt < asked && !running.some(({ id }) => id === finding),
  );
}

function None({ place }: { place: Place }) {
  return (
    <div className={styles.none}>
      <p>Nothing is under way, and nothing ended since this window opened.</p>
      <p className="small muted">
        A run asks every seat of the panel for a fix and checks each answer on a copy of your folder.
      </p>
      <Button onClick={() => go(planAt(place))}>Find fixes for all open findings…</Button>
    </div>
  );
}

/** One run over time, what the chosen lane says, and, when it has ended, what it brought. */
import { useState } from "react";
import { useCommand } from "../../api/client";
import { useRun } from "../../api/events";
import type { RunRecord } from "../../api/run-log";
import type { FindingView } from "../../backend/generated";
import { useCommands } from "../../commands/active";
import { ErrorNote } from "../../components/error-note";
import { KeysOf } from "../../components/kbd";
import { Prose } from "../../components/prose";
import { SeatsSection } from "../../components/seats";
import { SectionHead } from "../../components/section";
import { SeverityWord, StateWord, stageWord } from "../../components/words";
import { clock, duration, place as placeOf, sentence } from "../../format";
import { useEverySecond } from "../../now";
import styles from "./detail.module.css";
import { LanePane } from "./lane-pane";
import { lanesOf } from "./lanes";
import { recordOf } from "./past";
import { Timeline } from "./timeline";

export function Detail({ finding, running }: { finding: string; running: boolean }) {
  const { data, error, refetch } = useCommand("get_finding", { finding });
  const heard = useRun(finding);
  const { data: timeline } = useCommand("get_timeline", { finding });
  if (error !== null) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (data === undefined) {
    return (
      <p className={styles.text} role="status">
        Reading the run…
      </p>
    );
  }
  const record = recordOf(data, heard, running, timeline?.stages ?? []);
  return <Run view={data} record={record} running={running} />;
}

function Run({ view, record, running }: { view: FindingView; record: RunRecord | undefined; running: boolean }) {
  const { row, resolution } = view;
  const waits = running && record?.progress?.stage === "queued";
  const clockNow = useEverySecond(running && !waits);
  const [wanted, setWanted] = useState<string | null>(null);
  const now = running ? Math.max(clockNow, record?.heardAt ?? 0) : (record?.heardAt ?? clockNow);
  // A run that did not come to its conclusion brought nothing; what is stored is from one before.
  const concluded = !running && record?.stages.at(-1)?.stage === "conclude";
  const result = concluded ? resolution : null;
  const lanes = record === undefined ? [] : lanesOf(record, running, now, result);
  const chosen =
    lanes.find(({ id }) => id === wanted) ?? lanes.find(({ bars }) => bars.some(({ live }) => live)) ?? lanes[0];
  const walk = (by: number) => ({
    run: () => {
      const to = lanes[Math.min(lanes.length - 1, Math.max(0, lanes.findIndex(({ id }) => id === chosen?.id) + by))];
      if (to !== undefined) setWanted(to.id);
    },
    disabled: lanes.length === 0 ? "There is no lane yet" : undefined,
  });
  useCommands({ "runs.lane.next": walk(1), "runs.lane.previous": walk(-1) });
  const stage = record?.progress?.stage ?? "queued";
  return (
    <div className={styles.run}>
      <header className={styles.headline}>
        <div className="grow">
          <h2 className="cut" title={row.title}>
            {row.title}
          </h2>
          <p className={styles.sub}>
            <SeverityWord severity={row.severity} />
            <code className="cut path">{placeOf(row.path, row.line)}</code>
          </p>
        </div>
        <span className={styles.time}>
          {record !== undefined &&
            !waits &&
            (running ? `${clock(now - record.startedAt)} so far` : `took ${duration(now - record.startedAt)}`)}
        </span>
        <StateWord row={row} boxed />
      </header>
      {/* Milestones are heard; what a model says is not. */}
      <p className="heard" role="status">
        {running && stageWord(stage)}
      </p>
      {waits && <p className={styles.text}>It waits for its turn; others are under way.</p>}
      {record !== undefined && !waits && (
        <Timeline record={record} lanes={lanes} chosen={chosen} running={running} now={now} onChoose={setWanted} />
      )}
      {running && !waits && lanes.length === 0 && (
        <p className={styles.text}>
          {record?.progress?.text !== undefined && record.progress.text !== "" && (
            <>{sentence(record.progress.text)} </>
          )}
          A model gets its lane when it begins to speak, a fix when it is checked.
        </p>
      )}
      {lanes.length > 1 && (
        <p className={styles.keys}>
          choose a lane <KeysOf command="runs.lane.previous" />
          <KeysOf command="runs.lane.next" />
        </p>
      )}
      {chosen !== undefined && record !== undefined && <LanePane lane={chosen} record={record} />}
      {result !== null && (
        <>
          <SectionHead
            title="What it brought"
            end={`asked in ${duration(result.analysis_ms)}, checked in ${duration(result.verification_ms)}`}
          />
          <p className={styles.text}>
            <Prose text={sentence(result.reason ?? result.change)} />
          </p>
          <SeatsSection seats={result.seats} />
        </>
      )}
      {!running && !concluded && record !== undefined && (
        <p className={styles.text}>
          It ended without a result: it was cancelled, or it broke off. It can be started again.
        </p>
      )}
    </div>
  );
}

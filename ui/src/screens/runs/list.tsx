/** Rows of the list of runs. */
import type { ReactNode } from "react";
import { useCommand } from "../../api/client";
import { useRun } from "../../api/events";
import type { FindingRow } from "../../backend/generated";
import { Mark } from "../../components/mark";
import { SeverityWord, StateWord, stageWord } from "../../components/words";
import { clock, place as placeOf } from "../../format";
import { useEverySecond } from "../../now";
import styles from "./list.module.css";

type Choice = { chosen: boolean; onChoose: (finding: string) => void };

export function RunningRow({ row, chosen, onChoose }: { row: FindingRow } & Choice) {
  const record = useRun(row.id);
  const begun = record !== undefined && record.stages.length > 0;
  const now = useEverySecond(begun);
  const progress = record?.progress;
  return (
    <Row
      row={row}
      chosen={chosen}
      onChoose={onChoose}
      end={begun ? clock(now - record.startedAt) : null}
      state={
        <>
          <Mark name={begun ? "running" : "not_run"} size={12} />
          <span className="cut">
            {begun && progress !== undefined && progress.text !== ""
              ? progress.text
              : stageWord(progress?.stage ?? "queued")}
          </span>
        </>
      }
      live={begun}
    />
  );
}

export function EndedRow({ finding, chosen, onChoose }: { finding: string } & Choice) {
  const { data } = useCommand("get_finding", { finding });
  const record = useRun(finding);
  if (data === undefined) return null;
  return (
    <Row
      row={data.row}
      chosen={chosen}
      onChoose={onChoose}
      end={record === undefined ? null : clock(record.heardAt - record.startedAt)}
      state={<StateWord row={data.row} />}
      live={false}
    />
  );
}

function Row({
  row,
  chosen,
  onChoose,
  end,
  state,
  live,
}: {
  row: FindingRow;
  end: string | null;
  state: ReactNode;
  live: boolean;
} & Choice) {
  return (
    <li className={styles.row} data-on={chosen}>
      <button type="button" aria-pressed={chosen} onClick={() => onChoose(row.id)}>
        <span className={styles.title}>
          <b className="cut" title={row.title}>
            {row.title}
          </b>
          <span className={styles.end}>{end}</span>
        </span>
        <span className={styles.under}>
          <SeverityWord severity={row.severity} />
          <code className="cut path" title={placeOf(row.path, row.line)}>
            {placeOf(row.path, row.line)}
          </code>
        </span>
        <span className={styles.state} data-live={live}>
          {state}
        </span>
      </button>
    </li>
  );
}

/** Rows of a plan: the findings that would be run with what each takes, and those that would not with the reason. */
import type { DeferredRun, FindingRow, PlannedRun } from "../../backend/generated";
import { Prose } from "../../components/prose";
import { SeverityWord } from "../../components/words";
import { place as placeOf, sentence } from "../../format";
import { money } from "../../money";
import styles from "./plan.module.css";
import { atMostTime, costWords, seatsWords } from "./words";

/** So many rows of each kind are drawn. */
const DRAWN = 300;

export function PlannedRows({
  chosen,
  at,
  onChoose,
}: {
  chosen: PlannedRun[];
  at: string | undefined;
  onChoose: (finding: string) => void;
}) {
  return (
    <ul className={styles.rows} aria-label="Would be run">
      {chosen.slice(0, DRAWN).map((run) => (
        <li key={run.finding.id} id={`planned-${run.finding.id}`} data-on={run.finding.id === at}>
          <button
            type="button"
            className={styles.row}
            aria-pressed={run.finding.id === at}
            onClick={() => onChoose(run.finding.id)}
          >
            <What row={run.finding} />
            <span className={styles.under}>
              <span className="cut">{seatsWords(run)}</span>
              <span className="cut">
                {run.filled > 0 ? `${atMostTime(run.analysis_s)} at most` : "no model is asked"}
              </span>
            </span>
            <span className={styles.cost}>
              <span className="cut">{costWords(run.cost, run.filled)}</span>
              {run.cap !== null && <span className="cut">cap {money(run.cap)}</span>}
            </span>
          </button>
        </li>
      ))}
      <More hidden={chosen.length - DRAWN} />
    </ul>
  );
}

export function DeferredRows({ deferred }: { deferred: DeferredRun[] }) {
  return (
    <ul className={styles.rows} aria-label="Not run">
      {deferred.slice(0, DRAWN).map(({ finding, why }) => (
        <li key={finding.id} className={styles.row}>
          <What row={finding} />
          <span className={styles.reason}>
            <Prose text={sentence(why)} />
          </span>
        </li>
      ))}
      <More hidden={deferred.length - DRAWN} />
    </ul>
  );
}

function What({ row }: { row: FindingRow }) {
  const where = placeOf(row.path, row.line);
  return (
    <>
      <SeverityWord severity={row.severity} />
      <span className={styles.what}>
        <b className="cut" title={row.title}>
          {row.title}
        </b>
        <code className="cut path" title={where}>
          {where}
        </code>
      </span>
    </>
  );
}

function More({ hidden }: { hidden: number }) {
  return hidden > 0 ? <li className={styles.more}>and {hidden.toLocaleString("en")} more</li> : null;
}

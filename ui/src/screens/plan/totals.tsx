/** What all planned runs would take together, as three readings. */
import type { PlanView } from "../../backend/generated";
import { count } from "../../format";
import styles from "./plan.module.css";
import { atMostTime, costWords, unknownWords } from "./words";

export function Totals({ plan }: { plan: PlanView }) {
  const { chosen, deferred, cost, analysis_s, parallel } = plan;
  const asked = chosen.reduce((sum, { filled }) => sum + filled, 0);
  const left = unknownWords(cost);
  return (
    <dl className={styles.totals}>
      <div>
        <dt>Runs</dt>
        <dd className={styles.figure}>{chosen.length.toLocaleString("en")}</dd>
        <dd>
          {parallel} at a time{deferred.length > 0 && `, ${deferred.length.toLocaleString("en")} not run`}
        </dd>
      </div>
      <div>
        <dt>Cost</dt>
        <dd className={styles.figure}>{costWords(cost, asked)}</dd>
        <dd>{asked === 0 ? "no model is asked" : (left ?? `one question to each of ${count(asked, "seat")}`)}</dd>
      </div>
      <div>
        <dt>Time for answers</dt>
        <dd className={styles.figure}>{analysis_s === 0 ? "none" : atMostTime(analysis_s)}</dd>
        <dd>{analysis_s === 0 ? "checks take theirs" : "at most; checks come on top"}</dd>
      </div>
    </dl>
  );
}

/** What this finding is, where it stands, and where one is among the others. */
import type { FindingView } from "../../backend/generated";
import { IconButton } from "../../components/button";
import { KeysOf } from "../../components/kbd";
import { Mark } from "../../components/mark";
import { SeverityWord, StateWord, changedByOthers } from "../../components/words";
import { ago, place as placeOf } from "../../format";
import { useNow } from "../../now";
import { type Place, go, inboxAt } from "../../routes";
import styles from "./headline.module.css";

export function Headline({ place, view: { row, neighbours } }: { place: Place; view: FindingView }) {
  const now = useNow();
  const where = placeOf(row.path, row.line);
  return (
    <div className={styles.headline}>
      <IconButton label="Back to the inbox" onClick={() => go(inboxAt(place, row.id))}>
        <Mark name="left" />
      </IconButton>
      <div className="grow">
        <h1 className="cut" title={row.title}>
          {row.title}
        </h1>
        <div className={styles.sub}>
          <SeverityWord severity={row.severity} />
          {row.cwe.map((n) => (
            <span key={n}>CWE-{n}</span>
          ))}
          <code className="cut" title={where}>
            {where}
          </code>
          <span className="wide faint">
            found by {row.tool}, {ago(row.first_seen_at, now)}
          </span>
        </div>
      </div>
      {changedByOthers(row) && <span className={styles.stale}>File changed since the scan</span>}
      <StateWord row={row} boxed />
      {neighbours.total > 0 && (
        <span className={styles.position}>
          {neighbours.position} of {neighbours.total}
          <KeysOf command="finding.next" />
          <KeysOf command="finding.previous" />
        </span>
      )}
    </div>
  );
}

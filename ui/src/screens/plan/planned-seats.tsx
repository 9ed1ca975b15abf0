/** Who would be asked about one finding, for what, and who would fill the seats that stand empty. */
import type { PlannedRun, PlannedSeat } from "../../backend/generated";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { roleWord } from "../../components/words";
import { count, sentence } from "../../format";
import { money } from "../../money";
import styles from "./plan.module.css";
import { rangeWords, unknownWords } from "./words";

export function PlannedSeats({ run }: { run: PlannedRun }) {
  const left = unknownWords(run.cost);
  return (
    <div className={styles.seats} tabIndex={0} role="region" aria-label="Who would be asked">
      <h2 className={styles.title}>{run.finding.title}</h2>
      <SectionHead
        title="Model seats"
        end={run.seats.length > 0 ? `${run.filled} of ${run.seats.length} taken` : "none in its tier"}
      />
      <ul className={styles.panel}>
        {run.seats.map((seat, index) => (
          <Seat key={`${seat.role} ${index}`} seat={seat} />
        ))}
      </ul>
      {run.unpaid.length > 0 && (
        <>
          <SectionHead title="Seats that cost nothing" end={count(run.unpaid.length, "seat")} />
          <p className={styles.text}>{run.unpaid.join(", ")}</p>
        </>
      )}
      {(run.cap !== null || left !== null) && (
        <p className={`${styles.text} small faint`}>
          {run.cap !== null && `A run of its tier never costs more than ${money(run.cap)}, second questions among it. `}
          {left !== null && sentence(`${left.replace(/^and /, "")} stand in no sum`)}
        </p>
      )}
    </div>
  );
}

function Seat({ seat }: { seat: PlannedSeat }) {
  const { role, model, fill, cost, waits } = seat;
  return (
    <li data-empty={model === null}>
      <Mark name={model === null ? "not_run" : "seat"} size={12} />
      <span className={styles.who}>
        <b>{model ?? "Empty"}</b>
        <span className={styles.role}>{roleWord(role)}</span>
        {model === null && fill !== null && fill !== "" && (
          <span className={styles.fill}>
            <Prose text={sentence(fill)} />
          </span>
        )}
        {waits && model !== null && <span className={styles.fill}>Asked only when the first do not settle it.</span>}
      </span>
      {model !== null && <span className={styles.price}>{cost === null ? "price not known" : rangeWords(cost)}</span>}
    </li>
  );
}

/** The seats of the panel: who proposed, who refused and why, and which stand empty with what would fill them. */
import type { SeatState, SeatView } from "../backend/generated";
import { count } from "../format";
import { Prose } from "./prose";
import styles from "./seats.module.css";
import { SectionHead } from "./section";
import { SeatMark, roleWord, seatWord } from "./words";

export function Seats({ seats }: { seats: SeatView[] }) {
  return (
    <ul className={styles.seats}>
      {seats.map((seat, index) => (
        <li key={`${seat.name} ${index}`}>
          <SeatMark state={seat.state} />
          <span className={styles.name}>
            <b>{seat.name}</b>
            {seat.role !== null && roleWord(seat.role) !== seat.name && (
              <span className={styles.role}>{roleWord(seat.role)}</span>
            )}
          </span>
          <span className={styles.note}>
            <span className={styles.state}>{seatWord(seat.state)}</span>
            {seat.note !== "" && (
              <>
                : <Prose text={seat.note} />
              </>
            )}
            {seat.late && <span className={styles.late}>Late: after the time for analysis</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** All seats of a run, with how many of the models' seats answered. */
export function SeatsSection({ seats }: { seats: SeatView[] }) {
  const models = seats.filter(({ role }) => role !== null);
  const answered = models.filter(({ state }) => state !== "empty" && state !== "failed").length;
  return (
    <>
      <SectionHead
        title="Seats"
        end={models.length > 0 ? `${answered} of ${count(models.length, "model seat")} answered` : seatTally(seats)}
      />
      <Seats seats={seats} />
      {models.some(({ state }) => state === "refused" || state === "doubted") && (
        <p className={styles.opinion}>What a model says against a fix is its opinion, not a check.</p>
      )}
    </>
  );
}

/** `1 proposed, 1 refused, 2 empty`. */
export function seatTally(seats: SeatView[]): string {
  const words: [SeatState, string][] = [
    ["proposed", "proposed"],
    ["refused", "refused"],
    ["doubted", "would change nothing"],
    ["silent", "with nothing to say"],
    ["failed", "failed"],
    ["empty", "empty"],
  ];
  const parts = words
    .map(([state, word]) => [seats.filter((seat) => seat.state === state).length, word] as const)
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`);
  return parts.length === 0 ? count(seats.length, "seat") : parts.join(", ");
}

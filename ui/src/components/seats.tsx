/** The seats of the panel: who proposed, who refused and why, and which stand empty with what would fill them. */
import type { SeatState, SeatView } from "../backend/generated";
import { count } from "../format";
import { Prose } from "./prose";
import styles from "./seats.module.css";
import { SeatMark, seatWord } from "./words";

export function Seats({ seats }: { seats: SeatView[] }) {
  return (
    <ul className={styles.seats}>
      {seats.map((seat, index) => (
        <li key={`${seat.name} ${index}`}>
          <SeatMark state={seat.state} />
          <b className={styles.name}>{seat.name}</b>
          <span className={styles.note}>
            <span className={styles.state}>{seatWord(seat.state)}</span>
            {seat.note !== "" && (
              <>
                : <Prose text={seat.note} />
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
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

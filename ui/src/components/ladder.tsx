/** The evidence, rung by rung; a rung with a command or a log opens to show them. */
import { useId, useState } from "react";
import type { Check, CheckOutcome, EvidenceView } from "../backend/generated";
import { duration } from "../format";
import styles from "./ladder.module.css";
import { Mark } from "./mark";
import { Prose } from "./prose";
import { OutcomeMark, rungWord } from "./words";

/** What has to hold before anything else counts. */
const GATES: Check[] = ["applies", "parses", "paths", "suppression", "effective"];

/** All rungs; `brief` takes gates that were all passed into one. */
export function Ladder({ evidence, brief = false }: { evidence: EvidenceView[]; brief?: boolean }) {
  return (
    <ul className={styles.ladder}>
      {(brief ? withGatesAsOne(evidence) : evidence).map((rung) => (
        <Rung key={rung.check} rung={rung} />
      ))}
    </ul>
  );
}

function withGatesAsOne(evidence: EvidenceView[]): EvidenceView[] {
  const gates = evidence.filter(({ check }) => GATES.includes(check));
  const [first] = gates;
  if (first === undefined || gates.length < GATES.length || gates.some(({ outcome }) => outcome !== "pass"))
    return evidence;
  const one = { ...first, label: "Gates", summary: `all ${gates.length} hold`, command: null, log: null };
  return [one, ...evidence.filter(({ check }) => !GATES.includes(check))];
}

function Rung({ rung }: { rung: EvidenceView }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const deep = rung.command !== null || rung.log !== null;
  const loud = rung.outcome !== "pass" || rung.weaker;
  const line = (
    <>
      <OutcomeMark outcome={rung.outcome} />
      <b className="cut">{rung.label}</b>
      <span className={`${styles.said} ${loud ? styles.loud : ""}`}>
        {rungWord(rung)}
        {rung.summary !== "" && (
          <>
            : <Prose text={rung.summary} />
          </>
        )}
      </span>
      <span className={styles.took}>{rung.duration_ms > 0 && duration(rung.duration_ms)}</span>
      <span className={styles.chevron}>{deep && <Mark name={open ? "down" : "right"} size={10} />}</span>
    </>
  );
  if (!deep) return <li className={styles.rung}>{line}</li>;
  return (
    <li className={open ? styles.open : ""}>
      <button
        type="button"
        className={styles.rung}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {line}
      </button>
      {open && (
        <pre id={id} className={`${styles.log} verbatim`} tabIndex={0} aria-label={`${rung.label}: command and log`}>
          {rung.command !== null && <b>$ {rung.command}</b>}
          {rung.command !== null && rung.log !== null && "\n"}
          {rung.log}
        </pre>
      )}
    </li>
  );
}

/** How the rungs ended, in words: `5 passed, 1 not available`. */
export function tally(evidence: EvidenceView[]): string {
  const words: [CheckOutcome, string][] = [
    ["pass", "passed"],
    ["fail", "failed"],
    ["flaky", "flaky"],
    ["error", "broke"],
    ["not_available", "not available"],
    ["not_run", "not run"],
  ];
  return words
    .map(([outcome, word]) => [evidence.filter((rung) => rung.outcome === outcome).length, word] as const)
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(", ");
}

/** The outcomes alone, where there is no room for words; they are in its name. */
export function RungStrip({ evidence }: { evidence: EvidenceView[] }) {
  const name = evidence.map((rung) => `${rung.label} ${rungWord(rung).toLowerCase()}`).join(", ");
  return (
    <span className={styles.strip} role="img" aria-label={name} title={name}>
      {evidence.map((rung) => (
        <OutcomeMark key={rung.check} outcome={rung.outcome} size={12} />
      ))}
    </span>
  );
}

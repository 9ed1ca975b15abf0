/** What raised and lowered the confidence: one bar a term on a shared zero line; together they make the reading. */
import type { CSSProperties } from "react";
import type { TermView } from "../backend/generated";
import { signed } from "../format";
import styles from "./terms.module.css";

export function Terms({ terms }: { terms: TermView[] }) {
  const up = Math.max(0.1, ...terms.map((term) => term.value));
  const down = Math.max(0.1, ...terms.map((term) => -term.value));
  const style = { "--zero": down / (up + down), "--unit": 1 / (up + down) } as CSSProperties;
  return (
    <ul className={styles.terms} style={style}>
      {terms.map(({ label, value }) => (
        <li key={label}>
          <span className="cut" title={label}>
            {label}
          </span>
          <span className={styles.bar} aria-hidden="true">
            <i
              className={value < 0 ? styles.lowers : styles.raises}
              style={{ "--size": Math.abs(value) } as CSSProperties}
            />
          </span>
          <span className={styles.figure}>{signed(value)}</span>
        </li>
      ))}
    </ul>
  );
}

export function sumOf(terms: TermView[]): number {
  return terms.reduce((sum, term) => sum + term.value, 0);
}

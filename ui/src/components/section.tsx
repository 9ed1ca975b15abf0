/** A titled part of a column: a 28 px head with a hairline above, then whatever it holds. */
import type { ReactNode } from "react";
import styles from "./section.module.css";

export function SectionHead({
  title,
  id,
  level = 3,
  note,
  end,
  line = true,
}: {
  title: string;
  id?: string | undefined;
  level?: 2 | 3;
  note?: ReactNode;
  end?: ReactNode;
  line?: boolean;
}) {
  const Heading = level === 2 ? "h2" : "h3";
  return (
    <div className={`${styles.head} ${line ? styles.line : ""}`}>
      <Heading id={id}>{title}</Heading>
      {note !== undefined && <span className="cut">{note}</span>}
      {end !== undefined && <span className={styles.end}>{end}</span>}
    </div>
  );
}

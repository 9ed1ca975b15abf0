/** The bar at the bottom of a screen, where its actions are: the main one first, the quiet ones at the end. */
import type { ReactNode } from "react";
import styles from "./footer.module.css";

export function Footer({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.footer} role="group" aria-label={label}>
      {children}
    </div>
  );
}

/** What the main action will do, in a sentence. */
export function FooterNote({ children }: { children: ReactNode }) {
  return <span className={`${styles.note} cut`}>{children}</span>;
}

/** The bar at the head of a screen: its name, and what can be done with all of it. */
import type { ReactNode } from "react";
import styles from "./head-bar.module.css";

export function HeadBar({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.bar}>
      <h1 className="grow">{title}</h1>
      {children}
    </div>
  );
}

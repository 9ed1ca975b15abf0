/**
 * Marks and icons on a 16 px grid, in the colour of the text around them.
 *
 * Every severity and every outcome has an outline of its own, so they read without colour. A mark is hidden from
 * assistive technology: the word stands beside it.
 */
import type { ReactNode } from "react";
import styles from "./mark.module.css";

const DISC = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z";
const SQUARE = "M3 1.2h10A1.8 1.8 0 0 1 14.8 3v10a1.8 1.8 0 0 1-1.8 1.8H3A1.8 1.8 0 0 1 1.2 13V3A1.8 1.8 0 0 1 3 1.2Z";
const TICK = "M4.1 8.2 5.4 6.9 7.1 8.6 10.6 4.7 12 5.95 7.15 11.3Z";
const CROSS =
  "M8 6.73 10.16 4.56 11.44 5.84 9.27 8l2.17 2.16-1.28 1.28L8 9.27l-2.16 2.17-1.28-1.28L6.73 8 4.56 5.84 5.84 4.56Z";

const solid = (d: string) => <path fill="currentColor" fillRule="evenodd" d={d} />;
const line = (d: string, dash?: string) => (
  <path
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
    strokeLinecap={dash === undefined ? "round" : "butt"}
    strokeLinejoin="round"
    strokeDasharray={dash}
    d={d}
  />
);
const ring = (r: number, dash?: string) =>
  line(`M8 ${8 - r}a${r} ${r} 0 1 1 0 ${2 * r}a${r} ${r} 0 1 1 0 ${-2 * r}Z`, dash);
const both = (...parts: ReactNode[]) => (
  <>
    {parts.map((part, index) => (
      <g key={index}>{part}</g>
    ))}
  </>
);

const SHAPES = {
  // Severity
  critical: solid("M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1ZM7.1 4v5h1.8V4ZM7.1 10.5v1.7h1.8v-1.7Z"),
  high: both(solid("M8 1.7 15 14.1H1Z"), line("M8 1.9 14.8 14H1.2Z")),
  medium: both(line("M8 1.7 14.3 8 8 14.3 1.7 8Z"), solid("M1.7 8h12.6L8 14.3Z")),
  low: ring(5.5),
  note: solid("M8 5.4a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2Z"),
  // Outcome of a check
  pass: solid(DISC + TICK),
  fail: solid(SQUARE + CROSS),
  flaky: both(line("M8 1 15 8 8 15 1 8Z"), line("M5 8.7c1-1.7 2-1.7 3-.6s2 1.1 3-.6")),
  not_run: ring(6.2, "2.2 2.67"),
  not_available: both(ring(6.2), line("M3.8 12.2 12.2 3.8")),
  running: both(<g opacity="0.35">{ring(6.2)}</g>, line("M8 1.8A6.2 6.2 0 0 1 14.2 8")),
  // What a rule says
  deny: solid(`${SQUARE}M4.4 7.1h7.2v1.8H4.4Z`),
  allow: both(ring(6.2), line("M5 8h5.6M8.4 5.6 10.8 8l-2.4 2.4")),
  sample: both(ring(6.2), solid("M8 1.8a6.2 6.2 0 0 1 0 12.4Z")),
  // Seats
  seat: solid("M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z"),
  refused: both(ring(4.6), line("M5.6 8h4.8")),
  // Screens and controls
  insights: line("M2.6 13.4V9.6M6.2 13.4V6.4M9.8 13.4V8.2M13.4 13.4V2.8"),
  inbox: line("M2 9l2-6.2h8L14 9v4.2H2ZM2 9h3.4c.4 1.5 1.2 2.2 2.6 2.2S10.2 10.5 10.6 9H14"),
  runs: line("M2 4h6M5 8h6M8 12h6"),
  policy: line("M8 1.6 13.4 3.6v4c0 3.3-2.2 5.6-5.4 6.8-3.2-1.2-5.4-3.5-5.4-6.8v-4Z"),
  key: both(line("M5.2 7.4a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z"), line("M7.4 8.3 13.5 2.2M11 4.7l2 2")),
  machine: both(line("M2 3h12v8H2Z"), line("M5.5 13.5h5")),
  search: both(line("M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Z"), line("M10.4 10.4 14 14")),
  lock: both(line("M3 7h10v7H3Z"), line("M5.2 7V4.8a2.8 2.8 0 0 1 5.6 0V7")),
  leave: line("M6.5 9.5 13.5 2.5M8.8 2.5h4.7v4.7M11.5 9.5v4h-9v-9h4"),
  right: line("M6 3.5 10.5 8 6 12.5"),
  down: line("M3.5 6 8 10.5 12.5 6"),
  left: line("M10 3.5 5.5 8l4.5 4.5"),
  folder: line("M1.8 12.8V3.2h4.4l1.6 2h6.4v7.6Z"),
  file: line("M3.5 1.8h6L12.5 5v9.2h-9ZM9.2 2v3.3h3.1"),
  tick: line("M3 8.5 6.5 12 13 4.5"),
  close: line("M3.5 3.5l9 9M12.5 3.5l-9 9"),
  info: both(ring(6.2), line("M8 7.5v3.7M8 4.9v.1")),
} satisfies Record<string, ReactNode>;

export type MarkName = keyof typeof SHAPES;

export function Mark({ name, size = 14 }: { name: MarkName; size?: 10 | 12 | 14 | 16 }) {
  return (
    <svg className={styles.mark} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      {SHAPES[name]}
    </svg>
  );
}

/** Seven seats round a lock; the eighth place, at the door, is yours. */
export function Logo() {
  return (
    <svg className={styles.mark} viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
      <path
        fill="none"
        stroke="currentColor"
        strokeWidth="2.1"
        d="M4.92 13.44A6.25 6.25 0 0 1 2.56 11.08M1.98 9.67A6.25 6.25 0 0 1 1.98 6.33M2.56 4.92A6.25 6.25 0 0 1 4.92 2.56M6.33 1.98A6.25 6.25 0 0 1 9.67 1.98M11.08 2.56A6.25 6.25 0 0 1 13.44 4.92M14.02 6.33A6.25 6.25 0 0 1 14.02 9.67M13.44 11.08A6.25 6.25 0 0 1 11.08 13.44"
      />
      {solid("M8 4.4a2.2 2.2 0 0 1 1.15 4.08L10.4 14H5.6l1.25-5.52A2.2 2.2 0 0 1 8 4.4Z")}
    </svg>
  );
}

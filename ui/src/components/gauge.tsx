/**
 * Confidence on a line from 0 to 1: block = interval, upright = reading, post = cap, hatching = past the cap.
 *
 * Ink only, since confidence is neither good nor bad.
 */
import type { CSSProperties } from "react";
import type { ConfidenceSummary, ConfidenceView } from "../backend/generated";
import { count } from "../format";
import styles from "./gauge.module.css";
import { Prose } from "./prose";

/** Below this many outcomes a word stands in for the figure. */
const ENOUGH_OUTCOMES = 50;

const two = (n: number) => n.toFixed(2);

function describe({ word, p, low, high, cap }: ConfidenceSummary): string {
  return `${word}: ${two(p)}, interval ${two(low)} to ${two(high)}, cap ${two(cap)}`;
}

export function Gauge({ of, size = "small" }: { of: ConfidenceSummary; size?: "small" | "large" }) {
  const style = { "--low": of.low, "--high": of.high, "--p": of.p, "--cap": of.cap } as CSSProperties;
  return (
    <span className={`${styles.gauge} ${styles[size]}`} role="img" aria-label={describe(of)} style={style}>
      <i className={styles.line} />
      <i className={styles.past} />
      <i className={styles.interval} />
      <i className={styles.stop} />
      <i className={styles.reading} />
    </span>
  );
}

const TICKS = [0, 0.25, 0.5, 0.75, 1];
/** Nearer to the cap than this, a tick gives way to the cap's own label. */
const CROWDED = 0.11;

/** The one reading of a screen, with its interval, its cap, the reason for that, and what would raise it. */
export function Belief({ confidence }: { confidence: ConfidenceView }) {
  const { summary, cap_reason, raise, outcomes } = confidence;
  const calibrated = outcomes >= ENOUGH_OUTCOMES;
  const interval = `${two(summary.low)} – ${two(summary.high)}`;
  return (
    <div className={styles.belief}>
      <div className={styles.headline}>
        {calibrated && <b className={styles.figure}>{two(summary.p)}</b>}
        <span className={calibrated ? styles.beside : styles.word}>{summary.word}</span>
        <span className={styles.interval_text}>{interval}</span>
      </div>
      <Gauge of={summary} size="large" />
      <div className={styles.scale} aria-hidden="true">
        {TICKS.filter((tick) => Math.abs(tick - summary.cap) > CROWDED).map((tick) => (
          <span key={tick} style={{ left: `${tick * 100}%` }} data-edge={tick}>
            {tick === 0 || tick === 1 ? tick : two(tick)}
          </span>
        ))}
        <b style={{ left: `${summary.cap * 100}%` }}>cap {two(summary.cap)}</b>
      </div>
      <p>
        <b>Cap {two(summary.cap)}:</b> <Prose text={cap_reason} />.{raise !== null && ` It would rise with ${raise}.`}
      </p>
      <p className="faint">
        {calibrated
          ? `Calibrated on ${count(outcomes, "outcome")}.`
          : `Not calibrated yet, ${outcomes} of ${ENOUGH_OUTCOMES} outcomes: a word stands in for the figure.`}
      </p>
    </div>
  );
}

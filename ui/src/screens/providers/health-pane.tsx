/** How every model is, in one shape, and from when on one counts as degraded or down. */
import { useState } from "react";
import { useChange } from "../../api/client";
import type { HealthThresholds, ModelList, ModelRow } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { SectionHead } from "../../components/section";
import { ago, duration } from "../../format";
import { useNow, useSeconds } from "../../now";
import { useNotices } from "../frame/notice";
import styles from "./pane.module.css";
import { grouped, restWords, standingOf } from "./standing";
import { StandingWord } from "./standing-word";

type Limit = keyof HealthThresholds;

const LIMITS: Record<Limit, { name: string; after: string; usual: number; least: number; most: number }> = {
  slow_percent: { name: "Degraded, by time", after: "of its usual time", usual: 200, least: 100, most: 100_000 },
  degraded_percent: { name: "Degraded, by failures", after: "of its calls failed", usual: 10, least: 0, most: 100 },
  down_percent: { name: "Down", after: "of its calls failed", usual: 50, least: 0, most: 100 },
};

const KEYS = Object.keys(LIMITS) as Limit[];

export function HealthPane({ list }: { list: ModelList }) {
  // What is edited is what was read; another's change starts the fields anew.
  return <Health key={JSON.stringify(list.thresholds)} list={list} />;
}

function Health({ list }: { list: ModelList }) {
  const { thresholds } = list;
  const [typed, setTyped] = useState<Record<Limit, string>>({
    slow_percent: String(thresholds.slow_percent),
    degraded_percent: String(thresholds.degraded_percent),
    down_percent: String(thresholds.down_percent),
  });
  const save = useChange("save_thresholds");
  const { say } = useNotices();
  const next: HealthThresholds = {
    slow_percent: Number(typed.slow_percent),
    degraded_percent: Number(typed.degraded_percent),
    down_percent: Number(typed.down_percent),
  };
  const isBad = (key: Limit) =>
    !/^\d+$/.test(typed[key].trim()) || next[key] < LIMITS[key].least || next[key] > LIMITS[key].most;
  const wrong = KEYS.some(isBad)
    ? "One of these is no whole percentage that it can be."
    : next.degraded_percent > next.down_percent
      ? "What is down has to be degraded before."
      : null;
  const same = KEYS.every((key) => next[key] === thresholds[key]);
  const shown = grouped(list.models)
    .flatMap(([, rows]) => rows)
    .filter(({ enabled }) => enabled);
  return (
    <form
      className={styles.form}
      aria-label="Health"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(next, { onSuccess: () => say({ tone: "pass", title: "The thresholds hold from now on" }) });
      }}
    >
      <h2 className={styles.title}>Health</h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="How the models are">
        <Standings rows={shown} />
        <SectionHead title="Thresholds" end="over its last hundred calls" />
        <table className={styles.table}>
          <caption className="heard">From when on a model counts as degraded or down</caption>
          <thead>
            <tr>
              <th>A model counts as</th>
              <th>From</th>
              <th className={styles.num}>Usual</th>
            </tr>
          </thead>
          <tbody>
            {KEYS.map((key) => (
              <tr key={key}>
                <th scope="row">{LIMITS[key].name}</th>
                <td>
                  <span className={styles.amount}>
                    <input
                      type="text"
                      inputMode="numeric"
                      autoComplete="off"
                      className={styles.percent}
                      aria-label={`${LIMITS[key].name}, from percent ${LIMITS[key].after}`}
                      aria-invalid={isBad(key)}
                      value={typed[key]}
                      onChange={(event) => setTyped({ ...typed, [key]: event.target.value })}
                    />
                    <span aria-hidden="true">% {LIMITS[key].after}</span>
                  </span>
                </td>
                <td className={styles.num}>{LIMITS[key].usual} %</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className={styles.text}>
          Fewer than five calls say nothing. A model that fails five times in a row rests for half a minute whatever
          stands here, and the next one is asked.
        </p>
        {save.error !== null && <ErrorNote error={save.error} />}
      </div>
      <Footer label="Actions">
        <Button type="submit" look="primary" disabled={same || wrong !== null || save.isPending}>
          {save.isPending ? "Saving…" : "Save thresholds"}
        </Button>
        <FooterNote>{wrong ?? (same ? "" : "Not saved yet.")}</FooterNote>
      </Footer>
    </form>
  );
}

function Standings({ rows }: { rows: readonly ModelRow[] }) {
  const now = useNow();
  const second = useSeconds(Math.max(0, ...rows.map(({ health }) => health?.rests_until ?? 0)));
  if (rows.length === 0) return <p className={styles.text}>No model is turned on, so there is none to look at.</p>;
  return (
    <table className={styles.table}>
      <caption className="heard">How the models are</caption>
      <thead>
        <tr>
          <th>Model</th>
          <th>State</th>
          <th className={styles.num}>Time, and usual</th>
          <th className={styles.num}>Failed</th>
          <th className={styles.num}>Tested</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const { name, health } = row;
          const rests = restWords(health, second);
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <StandingWord standing={standingOf(row)} />
                {rests !== null && <span className={styles.rests}>{rests}</span>}
              </td>
              <td className={styles.num}>
                {health?.latest_ms == null ? "\u2013" : duration(health.latest_ms)}
                {health?.usual_ms != null && <span className="faint"> of {duration(health.usual_ms)}</span>}
              </td>
              <td className={styles.num}>{health?.error_percent == null ? "\u2013" : `${health.error_percent} %`}</td>
              <td className={styles.num}>{health === null ? "not yet" : ago(health.checked_at, now)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

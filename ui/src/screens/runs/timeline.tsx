/** A run over time: its stages as bands, and under them a lane for each model that speaks and each fix that is checked. */
import type { CSSProperties } from "react";
import type { RunRecord } from "../../api/run-log";
import { Mark } from "../../components/mark";
import { OutcomeMark, outcomeWord, stageName } from "../../components/words";
import { clock } from "../../format";
import { type Bar, type Lane, axisOf, laneWords } from "./lanes";
import styles from "./timeline.module.css";

export function Timeline({
  record,
  lanes,
  chosen,
  running,
  now,
  onChoose,
}: {
  record: RunRecord;
  lanes: Lane[];
  chosen: Lane | undefined;
  running: boolean;
  now: number;
  onChoose: (lane: string) => void;
}) {
  const start = record.startedAt;
  const { length, ticks } = axisOf(now - start, running);
  const at = (moment: number) => `${Math.min(100, Math.max(0, ((moment - start) / length) * 100))}%`;
  const span = ({ from, to }: Pick<Bar, "from" | "to">): CSSProperties => ({
    left: at(from),
    width: `max(3px, ${((Math.max(0, to - from) / length) * 100).toFixed(2)}%)`,
  });
  return (
    <div className={styles.timeline}>
      <div className={styles.head}>
        <span className={styles.corner}>{lanes.length === 1 ? "1 lane" : `${lanes.length} lanes`}</span>
        <div className={styles.track}>
          <ol className={styles.stages} aria-label="Stages">
            {record.stages.map(({ stage, from, to }) => (
              <li
                key={from + stage}
                title={stageName(stage)}
                data-now={running && to === null}
                style={span({ from, to: to ?? now })}
              >
                <span>{stageName(stage)}</span>
              </li>
            ))}
          </ol>
          <div className={styles.ticks} aria-hidden="true">
            {ticks.map((tick) => (
              <span key={tick} style={{ left: at(start + tick) }}>
                {clock(tick)}
              </span>
            ))}
          </div>
        </div>
      </div>
      <ul className={styles.lanes} aria-label="Lanes">
        {lanes.map((lane) => (
          <li key={lane.id} data-on={lane.id === chosen?.id}>
            <button
              type="button"
              className={styles.lane}
              aria-pressed={lane.id === chosen?.id}
              onClick={() => onChoose(lane.id)}
            >
              <span className={styles.name}>
                <Mark name={lane.kind === "model" ? "seat" : "file"} size={12} />
                <b className="cut" title={lane.name}>
                  {lane.name}
                </b>
                <span className={`${styles.said} cut`} title={lane.said}>
                  {lane.said}
                </span>
              </span>
              <span className="heard">{laneWords(lane, start)}</span>
              <span className={styles.track} aria-hidden="true">
                {lane.bars.map((bar, index) => (
                  <span
                    key={index}
                    className={styles.bar}
                    data-kind={lane.kind}
                    data-live={bar.live}
                    data-outcome={bar.outcome}
                    style={span(bar)}
                    title={titleOf(bar)}
                  >
                    {bar.outcome !== null && <OutcomeMark outcome={bar.outcome} size={12} />}
                    <span className={`${styles.label} cut`}>{bar.label}</span>
                  </span>
                ))}
                {running && <i className={styles.now} style={{ left: at(now) }} />}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function titleOf({ label, outcome, from, to }: Bar): string {
  const took = `${((to - from) / 1000).toFixed(1)} s`;
  return outcome === null ? `${label}, ${took}` : `${label}: ${outcomeWord(outcome).toLowerCase()}, ${took}`;
}

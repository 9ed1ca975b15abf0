/** A run under way: its stages in order, the current one in words; one that is over, how long it took. */
import { useProgress } from "../../api/events";
import type { ResolutionView, RunProgress } from "../../backend/generated";
import { Mark } from "../../components/mark";
import { SectionHead } from "../../components/section";
import { STAGE_ORDER, stageWord } from "../../components/words";
import { clock, duration } from "../../format";
import { useEverySecond } from "../../now";
import { currentPlace, formatPlace, runsAt } from "../../routes";
import styles from "./run-steps.module.css";

export function RunSteps({ finding, progress }: { finding: string; progress: RunProgress | null }) {
  const live = useProgress(finding) ?? progress;
  const now = useEverySecond(true);
  const at = STAGE_ORDER.indexOf(live?.stage ?? "queued");
  return (
    <>
      <SectionHead title="Run under way" line={false} end={live !== null && `${clock(now - live.started_at)} so far`} />
      <ol className={styles.steps}>
        {STAGE_ORDER.map((stage, index) => (
          <li
            key={stage}
            data-state={index < at ? "done" : index === at ? "now" : "next"}
            aria-current={index === at ? "step" : undefined}
          >
            <Mark name={index < at ? "tick" : index === at ? "running" : "not_run"} />
            <span>
              {stageWord(stage)}
              {index === at && live !== null && live.text !== "" && <span className={styles.text}>{live.text}</span>}
            </span>
          </li>
        ))}
      </ol>
      <p className={styles.more}>
        <a href={formatPlace(runsAt(currentPlace(), finding))}>Watch it over time</a>, with what each model says.
      </p>
    </>
  );
}

/** How long a run took, and the way to see it over time. */
export function RunTimes({
  finding,
  resolution: { analysis_ms, verification_ms },
}: {
  finding: string;
  resolution: ResolutionView;
}) {
  return (
    <>
      Asked in {duration(analysis_ms)}, checked in {duration(verification_ms)}.{" "}
      <a className={styles.link} href={formatPlace(runsAt(currentPlace(), finding))}>
        See it over time
      </a>
    </>
  );
}

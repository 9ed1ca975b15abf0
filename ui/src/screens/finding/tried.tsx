/** No safe fix: what was tried and where each attempt stopped, what that teaches, and what would help. */
import type { FindingView, FixView, ResolutionView } from "../../backend/generated";
import { Diff } from "../../code/code";
import { Ladder, RungStrip, tally } from "../../components/ladder";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SeatsSection } from "../../components/seats";
import { SectionHead } from "../../components/section";
import { count, sentence } from "../../format";
import { FixFacts, PickKeys } from "./fixes";
import { ProjectCode } from "./project-code";
import { RunTimes } from "./run-steps";
import { Thoughts } from "./thoughts";
import styles from "./tried.module.css";

export function Tried({
  resolution,
  chosen,
  onPick,
  onCompare,
}: {
  resolution: ResolutionView;
  chosen: FixView | undefined;
  onPick: (fix: number) => void;
  onCompare: () => void;
}) {
  const { fixes, seats } = resolution;
  return (
    <>
      <SectionHead
        title="Tried"
        id="fixes"
        level={2}
        line={false}
        note={
          fixes.length === 0
            ? "no seat proposed a fix"
            : `${count(fixes.length, "fix", "fixes")}, ${fixes.every(({ stopped }) => stopped) ? "none is safe" : "none is checked"}`
        }
        end={fixes.length > 1 && <PickKeys count={fixes.length} onCompare={onCompare} />}
      />
      {fixes.length === 0 && (
        <>
          <p className={styles.prose}>
            Every seat of the panel looked at this finding. None proposed a change, and each says why.
          </p>
          <SeatsSection seats={seats} />
        </>
      )}
      <ol className={styles.attempts}>
        {fixes.map((fix, index) => (
          <li key={fix.id} data-on={fix.id === chosen?.id}>
            <button type="button" aria-pressed={fix.id === chosen?.id} onClick={() => onPick(index + 1)}>
              <span className="cut">
                <b>
                  {index + 1}&ensp;{fix.title}
                </b>
                &ensp;<span className="faint small">{fix.origin}</span>
              </span>
              <RungStrip evidence={fix.evidence} />
              <span className={styles.stop}>
                <Prose text={sentence(fix.stopped ?? "nothing here looked at the code again after this fix")} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      {chosen !== undefined && (
        <>
          <Diff files={chosen.files} note={`Attempt ${fixes.indexOf(chosen) + 1}`} />
          <div className={styles.facts}>
            <FixFacts fix={chosen} />
          </div>
          <SectionHead title="Evidence" end={tally(chosen.evidence)} />
          <Ladder evidence={chosen.evidence} />
        </>
      )}
    </>
  );
}

export function WhyNone({ view: { row }, resolution }: { view: FindingView; resolution: ResolutionView }) {
  const { reason, next, seats, fixes } = resolution;
  const refused = seats.filter(({ state }) => state === "refused" || state === "failed");
  const empty = seats.filter(({ state, note }) => state === "empty" && note !== next);
  return (
    <>
      <SectionHead title="Why none is recommended" id="why" level={2} line={false} />
      <p className={styles.prose}>
        <Prose text={sentence(reason ?? "No seat of the panel knows a fix")} />
      </p>
      {(refused.length > 0 || fixes.length > 0) && (
        <>
          <SectionHead title="What was learnt" end="checked, or said by a seat" />
          <ol className={styles.learnt}>
            {fixes.map((fix) => (
              <li key={fix.id}>
                <span>
                  <Prose text={sentence(fix.stopped ?? "nothing here looked at the code again after this fix")} />
                </span>
                <span className="faint">{fix.stopped === null ? "not checked" : "checked"}</span>
              </li>
            ))}
            {refused.map(({ name, note }) => (
              <li key={name + note}>
                <span>
                  <Prose text={sentence(note)} />
                </span>
                <span className="faint">{name}</span>
              </li>
            ))}
          </ol>
        </>
      )}
      <SectionHead title="What would help most" />
      <ol className={styles.next}>
        {next !== null && (
          <li>
            <Mark name="right" size={10} />
            <p>
              <Prose text={sentence(next)} />
            </p>
          </li>
        )}
        {empty.map(({ name, note }) => (
          <li key={name}>
            <Mark name="right" size={10} />
            <p>
              <b>Fill the seat “{name}”.</b> <Prose text={sentence(note)} />
            </p>
          </li>
        ))}
      </ol>
      {fixes.length > 0 && (
        <>
          <SeatsSection seats={seats} />
        </>
      )}
      {resolution.synthesis !== null && <Thoughts made={resolution.synthesis} />}
      {fixes.length > 0 && <ProjectCode project={row.project} />}
      <SectionHead title="Until then" />
      <p className={`${styles.prose} small muted`}>
        {row.status === "dismissed"
          ? "It was dismissed; it stays listed as dismissed until it is opened again."
          : row.status === "suppressed"
            ? "The tool itself suppresses this finding; it stays listed as suppressed."
            : "The finding stays open and counts as “no safe fix”. It can be tried again when the code, a recipe or a model changes."}
      </p>
      <p className={`${styles.prose} small faint`}>
        <RunTimes finding={row.id} resolution={resolution} />
      </p>
    </>
  );
}

/** Why to believe a fix: the reading, the evidence rung by rung, what made the reading, and who sat on the panel. */
import type { FindingView, FixView } from "../../backend/generated";
import { Belief } from "../../components/gauge";
import { Ladder, tally } from "../../components/ladder";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SeatsSection } from "../../components/seats";
import { SectionHead } from "../../components/section";
import { Terms, sumOf } from "../../components/terms";
import { sentence, signed } from "../../format";
import { Judgements } from "./compare";
import { ProjectCode } from "./project-code";
import { stopWord } from "./resolution";
import { RunTimes } from "./run-steps";
import { Thoughts } from "./thoughts";
import styles from "./why.module.css";

export function Why({ view: { row, resolution }, chosen }: { view: FindingView; chosen: FixView | undefined }) {
  if (resolution === null || chosen === undefined) {
    return (
      <>
        <SectionHead title="Why believe it" id="why" level={2} line={false} />
        <p className={styles.text}>
          {row.status === "running"
            ? "What the checks find stands here when the run has ended."
            : "There is nothing to believe yet: no fix was tried."}
        </p>
      </>
    );
  }
  const recommended = chosen.id === resolution.recommended;
  return (
    <>
      <SectionHead title="Why believe it" id="why" level={2} line={false} />
      {chosen.stopped === null ? <Belief confidence={chosen.confidence} /> : <Stopped fix={chosen} />}
      <SectionHead title="Evidence" end={tally(chosen.evidence)} />
      <Ladder evidence={chosen.evidence} />
      <ProjectCode project={row.project} />
      <SectionHead title="What raised and lowered it" end={sumWords(chosen)} />
      <Terms terms={chosen.confidence.terms} />
      <Suspicions fix={chosen} />
      <Judgements
        judgements={resolution.judgements.filter(({ a, b }) => a === chosen.id || b === chosen.id)}
        nameOf={(id) => `fix ${resolution.fixes.findIndex((fix) => fix.id === id) + 1}`}
      />
      {recommended && resolution.why_safe !== "" && (
        <>
          <SectionHead title="Why it is safe" />
          <p className={styles.text}>
            <Prose text={resolution.why_safe} />
          </p>
        </>
      )}
      {recommended && (
        <>
          <SectionHead title="Not covered" />
          <ul className={styles.list}>
            {resolution.not_covered.map((line) => (
              <li key={line}>
                <Prose text={line} />
              </li>
            ))}
            {resolution.not_covered.length === 0 && <li className="faint">Every check of the ladder ran.</li>}
          </ul>
        </>
      )}
      {resolution.synthesis !== null && <Thoughts made={resolution.synthesis} />}
      <SeatsSection seats={resolution.seats} />
      <p className={styles.times}>
        <RunTimes finding={row.id} resolution={resolution} />
      </p>
    </>
  );
}

function sumWords({ confidence: { terms, summary } }: FixView): string {
  const capped = summary.p >= summary.cap;
  return `sum ${signed(sumOf(terms))}${capped ? `, held at the cap of ${summary.cap.toFixed(2)}` : ""}`;
}

/** What looks wrong in the text of a fix: each asks for a person's look, and none of them is a check. */
function Suspicions({ fix: { smells } }: { fix: FixView }) {
  if (smells.length === 0) return null;
  return (
    <>
      <SectionHead title="What is suspicious" end="seen in its text; have a look" />
      <ul className={styles.list}>
        {smells.map((smell) => {
          const [name = "", ...detail] = smell.split(": ");
          return (
            <li key={smell}>
              <b>{name}</b>
              {detail.length > 0 && (
                <>
                  : <Prose text={detail.join(": ")} />
                </>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Stopped({ fix }: { fix: FixView }) {
  return (
    <div className={styles.stopped}>
      <p>
        <Mark name="fail" />
        <b>{stopWord(fix) === "Stopped" ? "Stopped by a check" : "Not offered"}</b>
      </p>
      <p>
        <Prose text={sentence(fix.stopped ?? "")} />
        {stopWord(fix) === "Stopped" && " A failed check outranks everything that speaks for a fix."}
      </p>
    </div>
  );
}

/** The fixes: the recommended one first, the alternatives and the stopped ones beside it, one of them in full. */
import type { FindingView, FixView, ResolutionView } from "../../backend/generated";
import { Diff } from "../../code/code";
import { Gauge } from "../../components/gauge";
import { Keys, KeysOf } from "../../components/kbd";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { ago, count, sentence } from "../../format";
import { useNow } from "../../now";
import styles from "./fixes.module.css";
import { stopWord } from "./resolution";
import { RunSteps } from "./run-steps";

export function Fixes({
  view,
  chosen,
  onPick,
  onCompare,
}: {
  view: FindingView;
  chosen: FixView | undefined;
  onPick: (fix: number) => void;
  onCompare: () => void;
}) {
  const now = useNow();
  const { row, resolution, running, applied } = view;
  return (
    <>
      <SectionHead
        title="Fixes"
        id="fixes"
        level={2}
        line={false}
        note={resolution !== null && noteOf(resolution)}
        end={
          resolution !== null &&
          resolution.fixes.length > 1 && <PickKeys count={resolution.fixes.length} onCompare={onCompare} />
        }
      />
      {row.status === "running" && <RunSteps finding={row.id} progress={running} />}
      {resolution === null && row.status !== "running" && (
        <p className={styles.lead}>
          No fix was looked for yet. A run asks every seat of the panel and checks each answer on a copy of your folder;
          nothing is written until you apply.
        </p>
      )}
      {resolution !== null && resolution.ending === "disagreement" && (
        <p className={styles.lead}>
          <b>Two fixes, and you pick.</b> <Prose text={sentence(resolution.reason ?? "")} />
        </p>
      )}
      {resolution !== null && chosen !== undefined && (
        <>
          {resolution.fixes.length > 1 && (
            <FixTabs resolution={resolution} chosen={chosen} applied={applied?.fix} onPick={onPick} />
          )}
          {applied !== null && (
            <p className={styles.applied}>
              <Mark name="tick" />
              <span>
                Fix {resolution.fixes.findIndex(({ id }) => id === applied.fix) + 1} is in your folder since{" "}
                {ago(applied.applied_at, now)}:{" "}
                {applied.files.map((file, index) => (
                  <span key={file}>
                    {index > 0 && ", "}
                    <code className="path">{file}</code>
                  </span>
                ))}
              </span>
            </p>
          )}
          <FixPanel fix={{ ...chosen, trade_off: tradeOff(resolution, chosen) }} />
          {chosen === resolution.fixes[0] && <Alternatives resolution={resolution} onPick={onPick} />}
        </>
      )}
    </>
  );
}

/** How a fix compares with the first one: in the words of who thought it over, where there are any. */
function tradeOff({ synthesis }: ResolutionView, { id, trade_off }: FixView): string | null {
  return synthesis?.trade_offs.find(({ fix }) => fix === id)?.text ?? trade_off;
}

/** What stands beside the first fix, or why nothing does. */
function Alternatives({ resolution, onPick }: { resolution: ResolutionView; onPick: (fix: number) => void }) {
  const { fixes, recommended, synthesis, no_alternative } = resolution;
  const numberOf = (id: string) => fixes.findIndex((fix) => fix.id === id) + 1;
  const others = fixes.slice(1).flatMap((fix) => {
    const text = tradeOff(resolution, fix);
    return fix.stopped === null && text !== null ? [{ id: fix.id, text }] : [];
  });
  const prefers = synthesis !== null && synthesis.model !== null ? synthesis.prefers : null;
  if (others.length === 0 && no_alternative === null && prefers === null) return null;
  return (
    <>
      <SectionHead title="Alternatives" end={others.length > 0 ? "each beside the first" : undefined} />
      <ul className={styles.alternatives}>
        {others.map(({ id, text }) => (
          <li key={id}>
            <button type="button" onClick={() => onPick(numberOf(id))}>
              Fix {numberOf(id)}
            </button>
            <span>
              <Prose text={sentence(text)} />
            </span>
          </li>
        ))}
        {no_alternative !== null && (
          <li className="faint">
            <span>
              <Prose text={sentence(no_alternative)} />
            </span>
          </li>
        )}
        {prefers !== null && numberOf(prefers) > 0 && (
          <li>
            <span className="faint">
              {synthesis?.model} would choose{" "}
              {prefers === recommended ? "the recommended one" : `fix ${numberOf(prefers)}`}: an opinion, which changes
              nothing.
            </span>
          </li>
        )}
      </ul>
    </>
  );
}

function noteOf({ fixes, recommended }: ResolutionView): string {
  if (fixes.length === 1 && recommended !== null) return "one offered, and recommended";
  const stopped = fixes.filter((fix) => fix.stopped !== null).length;
  const offered = fixes.length - stopped;
  return `${offered} offered${stopped > 0 ? `, ${stopped} not` : ""}`;
}

/** Keys reach as many fixes as there are digits. */
const DIGITS = 9;

export function PickKeys({ count: n, onCompare }: { count: number; onCompare: () => void }) {
  return (
    <>
      <button type="button" className={styles.compare} onClick={onCompare}>
        compare <KeysOf command="finding.compare" />
      </button>
      pick <Keys chord="1" />–<Keys chord={String(Math.min(n, DIGITS))} />
    </>
  );
}

function FixTabs({
  resolution,
  chosen,
  applied,
  onPick,
}: {
  resolution: ResolutionView;
  chosen: FixView;
  applied: string | undefined;
  onPick: (fix: number) => void;
}) {
  const { fixes, recommended } = resolution;
  return (
    <div className={styles.tabs} role="radiogroup" aria-label="Fixes">
      {fixes.map((fix, index) => (
        <label key={fix.id} className={styles.tab} data-on={fix.id === chosen.id}>
          <input
            type="radio"
            name="fix"
            className="heard"
            checked={fix.id === chosen.id}
            onChange={() => onPick(index + 1)}
          />
          <span className={styles.tab_title} title={fix.title}>
            <span>{index + 1}</span>
            <span className="cut">{fix.title}</span>
          </span>
          <span className={styles.under}>
            {fix.stopped === null ? (
              <>
                <Gauge of={fix.confidence.summary} />
                <span className="cut">
                  {fix.id === applied
                    ? "Applied"
                    : fix.id === recommended
                      ? "Recommended"
                      : fix.confidence.summary.word}
                </span>
              </>
            ) : (
              <span className={styles.stopped}>
                <Mark name="fail" size={12} />
                {stopWord(fix)}
              </span>
            )}
          </span>
        </label>
      ))}
    </div>
  );
}

const CLASSES: Record<FixView["class"], string> = {
  "safe-auto": "Keeps behaviour for all but an attack",
  review: "May change behaviour: read it",
};

export function FixFacts({ fix }: { fix: FixView }) {
  return (
    <p className={styles.facts}>
      <span>{fix.origin}</span>
      {fix.also_by.length > 0 && <span>also by {fix.also_by.join(", ")}</span>}
      <span>{CLASSES[fix.class]}</span>
    </p>
  );
}

export function FixPanel({ fix }: { fix: FixView }) {
  return (
    <>
      <div className={styles.lead}>
        <p className={styles.title}>
          <Prose text={sentence(fix.title)} />
        </p>
        {fix.rationale !== "" && (
          <p>
            <Prose text={sentence(fix.rationale)} />
          </p>
        )}
        {fix.trade_off !== null && (
          <p>
            Beside the first: <Prose text={sentence(fix.trade_off)} />
          </p>
        )}
      </div>
      <FixFacts fix={fix} />
      {fix.stopped !== null && (
        <p className={styles.reason}>
          <Mark name="fail" />
          <span>
            {stopWord(fix) === "Stopped" ? "Not offered, whatever speaks for it: " : "Not offered: "}
            <Prose text={sentence(fix.stopped)} />
          </span>
        </p>
      )}
      <Diff files={fix.files} />
      <SectionHead
        title="Edge cases"
        line={false}
        end={fix.edge_cases.length > 0 ? `${count(fix.edge_cases.length, "input")}, in its author’s words` : undefined}
      />
      <ul className={styles.edges}>
        {fix.edge_cases.map((edge) => (
          <li key={edge}>
            <Prose text={edge} />
          </li>
        ))}
        {fix.edge_cases.length === 0 && <li className="faint">Its author names none.</li>}
      </ul>
      {fix.side_effects.length > 0 && (
        <>
          <SectionHead title="Side effects" end="in its author’s words" />
          <ul className={styles.edges}>
            {fix.side_effects.map((effect) => (
              <li key={effect}>
                <Prose text={effect} />
              </li>
            ))}
          </ul>
        </>
      )}
      {fix.disproof !== null && (
        <>
          <SectionHead title="What would disprove it" end="in its author’s words" />
          <p className={styles.disproof}>
            <Prose text={sentence(fix.disproof)} />
          </p>
        </>
      )}
    </>
  );
}

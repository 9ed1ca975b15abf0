/** What is known of one lane: a model's words as they come, or the checks of a fix with the time that each took. */
import { useLayoutEffect, useRef } from "react";
import type { RunRecord } from "../../api/run-log";
import { KEPT_CHARACTERS } from "../../api/run-log";
import { SectionHead } from "../../components/section";
import { OutcomeMark, outcomeWord } from "../../components/words";
import { count, duration } from "../../format";
import type { Lane } from "./lanes";
import styles from "./lane-pane.module.css";

export function LanePane({ lane, record }: { lane: Lane; record: RunRecord }) {
  if (lane.kind === "fix") return <Checks lane={lane} />;
  const voice = record.voices.find(({ seat }) => `model ${seat}` === lane.id);
  return voice === undefined ? null : <Words name={lane.name} text={voice.text} cut={voice.length > KEPT_CHARACTERS} />;
}

/** From this near to the end, in pixels, one reads along. */
const AT_END = 24;

function Words({ name, text, cut }: { name: string; text: string; cut: boolean }) {
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (box.current !== null && follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <>
      <SectionHead title={`What ${name} says`} line={false} end="model’s own words, not a check" />
      <pre
        ref={box}
        className={`${styles.words} verbatim`}
        tabIndex={0}
        aria-label={`What ${name} says`}
        onScroll={({ currentTarget: at }) => {
          follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < AT_END;
        }}
      >
        {cut && "…"}
        {text === "" ? "Nothing yet: it was asked and has not begun." : text}
      </pre>
    </>
  );
}

function Checks({ lane }: { lane: Lane }) {
  return (
    <>
      <SectionHead title={`Checks of ${lane.name.toLowerCase()}`} line={false} end={count(lane.bars.length, "check")} />
      <ol className={styles.checks}>
        {lane.bars.map(({ label, from, to, live, outcome }, index) => (
          <li key={index}>
            <OutcomeMark outcome={outcome ?? "not_run"} size={12} />
            <b className="cut">{label}</b>
            <span>
              {outcome !== null
                ? outcomeWord(outcome)
                : live
                  ? "Under way"
                  : "Done; how it ended comes with the result"}
            </span>
            <span className={styles.took}>{duration(to - from)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

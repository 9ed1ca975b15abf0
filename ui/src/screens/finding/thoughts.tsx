/** What was made of all answers and all evidence: edge cases, the chain of thoughts, the tools that were used, the holes. */
import type { SourceView, SynthesisView, ThoughtView, ToolUseView } from "../../backend/generated";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { count, duration } from "../../format";
import styles from "./thoughts.module.css";

export function Thoughts({ made }: { made: SynthesisView }) {
  const { edge_cases, thoughts, tools, holes, model } = made;
  return (
    <>
      {edge_cases.length > 0 && (
        <>
          <SectionHead title="Edge cases" end={count(edge_cases.length, "case")} />
          <ul className={styles.cases}>
            {edge_cases.map(({ text, sources }) => (
              <li key={text}>
                <Prose text={text} />
                <Sources of={sources} />
              </li>
            ))}
          </ul>
        </>
      )}
      {thoughts.length > 0 && (
        <>
          <SectionHead
            title="How it came to that"
            end={`${count(thoughts.length, "step")}, ${model === null ? "from the evidence" : `thought by ${model}`}`}
          />
          <ol className={styles.chain}>
            {thoughts.map((thought, index) => (
              <Step key={`${thought.number}:${index}`} thought={thought} />
            ))}
          </ol>
        </>
      )}
      {tools.length > 0 && (
        <>
          <SectionHead title="Tools used" end={count(tools.length, "call")} />
          <ol className={styles.tools}>
            {tools.map((used, index) => (
              <Used key={`${used.tool}:${index}`} used={used} number={index + 1} />
            ))}
          </ol>
        </>
      )}
      {holes.length > 0 && (
        <>
          <SectionHead title="Missing" end="could not be had" />
          <ul className={styles.cases}>
            {holes.map(({ what, why }) => (
              <li key={what + why}>
                <b>{what}</b>: <Prose text={why} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Step({ thought: { number, text, revises, branch, sources } }: { thought: ThoughtView }) {
  return (
    <li data-branch={branch !== null} data-revision={revises !== null}>
      <span className={styles.number}>{number}</span>
      <div>
        {revises !== null && <span className={styles.turn}>Revises step {revises}</span>}
        {branch !== null && (
          <span className={styles.turn}>
            Branch {branch.id}, from step {branch.from}
          </span>
        )}
        <Prose text={text} />
        <Sources of={sources} />
      </div>
    </li>
  );
}

const CAME: Record<ToolUseView["outcome"], string> = {
  answered: "answered",
  error: "answered with an error",
  denied: "denied",
  failed: "failed",
};

function Used({
  used: { server, tool, asked, outcome, said, entry, took_ms },
  number,
}: {
  used: ToolUseView;
  number: number;
}) {
  return (
    <li data-outcome={outcome}>
      <span className={styles.number}>{number}</span>
      <div>
        <code>
          {server} · {tool}
        </code>{" "}
        <span className="faint">
          {CAME[outcome]}, {duration(took_ms)}
          {entry !== null && `, decision ${entry} in the ledger`}
        </span>
        <p className={styles.said}>{asked}</p>
        {said !== "" && (
          <p className={`${styles.said} ${outcome === "answered" ? "cut" : ""}`} title={said}>
            {saidWords(said)}
          </p>
        )}
      </div>
    </li>
  );
}

/** What a tool says of its answer in words, where the answer is data that begins with them. */
function saidWords(said: string): string {
  return /^\{"said":"([^"\\]*)"/.exec(said)?.[1] ?? said;
}

/** Whom something comes from; nothing where that is nobody in particular. */
function Sources({ of }: { of: SourceView[] }) {
  if (of.length === 0) return null;
  return <span className={styles.sources}>{of.map(({ label }) => label).join(", ")}</span>;
}

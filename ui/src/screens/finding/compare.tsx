/** Two fixes beside each other: each in full, and what tells them apart in figures and checks. */
import type { EvidenceView, FixView, JudgementView, ResolutionView } from "../../backend/generated";
import { Button } from "../../components/button";
import { Gauge } from "../../components/gauge";
import { KeysOf } from "../../components/kbd";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { OutcomeMark, rungWord } from "../../components/words";
import { count, sentence } from "../../format";
import styles from "./compare.module.css";
import { FixPanel } from "./fixes";
import { changeOf } from "./resolution";

/** One side: which fix it shows, and that fix in full. */
export function Side({
  fixes,
  at,
  id,
  onPick,
}: {
  fixes: FixView[];
  /** The number of the fix, from 1. */
  at: number;
  id: string;
  onPick: (fix: number) => void;
}) {
  const fix = fixes[at - 1];
  if (fix === undefined) return null;
  return (
    <>
      <SectionHead
        title={`Fix ${at}`}
        id={id}
        level={2}
        line={false}
        end={
          <span className={styles.pick} role="group" aria-label={`In place of fix ${at}`}>
            {fixes.map((one, index) => (
              <button
                key={one.id}
                type="button"
                aria-pressed={index + 1 === at}
                title={one.title}
                onClick={() => onPick(index + 1)}
              >
                <span className="heard">Fix </span>
                {index + 1}
              </button>
            ))}
          </span>
        }
      />
      <FixPanel fix={fix} />
    </>
  );
}

export function Apart({
  resolution,
  pair: [a, b],
  onEnd,
}: {
  resolution: ResolutionView;
  /** The numbers of both, from 1. */
  pair: [number, number];
  onEnd: () => void;
}) {
  const [one, other] = [resolution.fixes[a - 1], resolution.fixes[b - 1]];
  if (one === undefined || other === undefined) return null;
  const both: [FixView, FixView] = [one, other];
  const judgements = resolution.judgements.filter((judgement) =>
    both.every(({ id }) => judgement.a === id || judgement.b === id),
  );
  const numbers = new Map([
    [one.id, a],
    [other.id, b],
  ]);
  const tradeOffs = both.flatMap(({ id, trade_off }) => (trade_off === null ? [] : [{ id, trade_off }]));
  return (
    <>
      <SectionHead
        title="What tells them apart"
        id="why"
        level={2}
        line={false}
        end={
          <Button look="quiet" className={styles.end ?? ""} onClick={onEnd}>
            Show one <KeysOf command="finding.back" />
          </Button>
        }
      />
      {resolution.ending === "disagreement" && resolution.reason !== null && (
        <p className={styles.text}>
          <Prose text={sentence(resolution.reason)} />
        </p>
      )}
      {tradeOffs.map(({ id, trade_off }) => (
        <p key={id} className={styles.text}>
          <b>Fix {numbers.get(id)}:</b> <Prose text={sentence(trade_off)} />
        </p>
      ))}
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">
              <span className="heard">What is compared</span>
            </th>
            <th scope="col">Fix {a}</th>
            <th scope="col">Fix {b}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Reading</th>
            {both.map(({ id, confidence }) => (
              <td key={id}>
                <Gauge of={confidence.summary} />
                <span className={styles.word}>{confidence.summary.word}</span>
              </td>
            ))}
          </tr>
          <tr>
            <th scope="row">Size</th>
            {both.map((fix) => (
              <td key={fix.id}>{sizeOf(fix)}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">By</th>
            {both.map(({ id, origin, also_by }) => (
              <td key={id}>{[origin, ...also_by].join(", ")}</td>
            ))}
          </tr>
          {one.evidence.map((rung) => {
            const second = other.evidence.find(({ check }) => check === rung.check);
            return (
              <tr key={rung.check} data-apart={second?.outcome !== rung.outcome || second.weaker !== rung.weaker}>
                <th scope="row">{rung.label}</th>
                <Cell rung={rung} />
                <Cell rung={second} />
              </tr>
            );
          })}
          <tr data-apart={one.smells.length !== other.smells.length}>
            <th scope="row">Suspicions</th>
            {both.map(({ id, smells }) => (
              <td key={id}>{smells.length === 0 ? "none seen" : smells.join("; ")}</td>
            ))}
          </tr>
        </tbody>
      </table>
      <Judgements judgements={judgements} nameOf={(id) => `fix ${numbers.get(id)}`} />
    </>
  );
}

function Cell({ rung }: { rung: EvidenceView | undefined }) {
  if (rung === undefined) return <td>Not run</td>;
  return (
    <td title={rung.summary}>
      <span className={styles.outcome}>
        <OutcomeMark outcome={rung.outcome} size={12} />
        {rungWord(rung)}
      </span>
    </td>
  );
}

function sizeOf(fix: FixView): string {
  const { added, removed } = changeOf(fix);
  return `+${added} \u2212${removed} in ${count(fix.files.length, "file")}`;
}

/** What judges said, who did not know whose the fixes were. */
export function Judgements({ judgements, nameOf }: { judgements: JudgementView[]; nameOf: (fix: string) => string }) {
  if (judgements.length === 0) return null;
  return (
    <>
      <SectionHead title="Judge" end="model’s opinion, asked in both orders" />
      <ul className={styles.judges}>
        {judgements.map((judgement, index) => (
          <li key={index}>
            <b>{judgement.judge}:</b> {choiceWords(judgement, nameOf)}
          </li>
        ))}
      </ul>
    </>
  );
}

function choiceWords({ a, b, choice, faults_a, faults_b }: JudgementView, nameOf: (fix: string) => string): string {
  const choices: Record<JudgementView["choice"], string> = {
    a: `${nameOf(a)} is better`,
    b: `${nameOf(b)} is better`,
    tie: "neither is better",
    neither: "both are wrong",
  };
  const faults = [
    ...(faults_a.length > 0 ? [`${nameOf(a)} ${faults_a.join(" and ")}`] : []),
    ...(faults_b.length > 0 ? [`${nameOf(b)} ${faults_b.join(" and ")}`] : []),
  ];
  return sentence([choices[choice], ...faults].join("; "));
}

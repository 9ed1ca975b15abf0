/** The panel beside the list: the finding under the cursor in short, or what the selected ones would change. */
import { useQueries } from "@tanstack/react-query";
import { commandOptions, useBackend, useCommand } from "../../api/client";
import type { FindingView, FixView } from "../../backend/generated";
import { Diff } from "../../code/code";
import { ErrorNote } from "../../components/error-note";
import { Belief } from "../../components/gauge";
import { Ladder, tally } from "../../components/ladder";
import { Prose } from "../../components/prose";
import { SeatsSection } from "../../components/seats";
import { SectionHead } from "../../components/section";
import { SeverityWord } from "../../components/words";
import { count, place, sentence } from "../../format";
import { RunSteps } from "../finding/run-steps";
import { changeOf, recommendedOf } from "../finding/resolution";
import styles from "./peek.module.css";

export function Peek({ finding }: { finding: string }) {
  const { data, error, refetch } = useCommand("get_finding", { finding });
  return (
    <aside className={styles.peek} tabIndex={0} aria-label="Finding in short">
      {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {data !== undefined && <Summary view={data} />}
    </aside>
  );
}

function Summary({ view }: { view: FindingView }) {
  const { row, resolution } = view;
  const fix = recommendedOf(resolution);
  return (
    <>
      <div className={styles.head}>
        <p>
          <SeverityWord severity={row.severity} />
          {row.cwe.map((n) => (
            <span key={n}>CWE-{n}</span>
          ))}
          <code className="path cut" title={place(row.path, row.line)}>
            {place(row.path, row.line)}
          </code>
        </p>
        <h2>{row.title}</h2>
        {!sameWords(view.problem, row.title) && (
          <p className={styles.problem}>
            <Prose text={view.problem} />
          </p>
        )}
      </div>
      {row.status === "running" && <RunSteps finding={row.id} progress={view.running} />}
      {row.status !== "running" && fix !== undefined && (
        <Recommended fix={fix} change={resolution?.change ?? ""} notCovered={resolution?.not_covered ?? []} />
      )}
      {row.status !== "running" && fix === undefined && <Nothing view={view} />}
    </>
  );
}

/** Whether the problem says no more than the title does. */
function sameWords(problem: string, title: string): boolean {
  return sentence(problem) === sentence(title);
}

function Recommended({ fix, change, notCovered }: { fix: FixView; change: string; notCovered: string[] }) {
  const { added, removed, files } = changeOf(fix);
  const mind = [...fix.edge_cases, ...notCovered];
  return (
    <>
      <SectionHead
        title="Recommended fix"
        line={false}
        end={
          <>
            {count(files.length, "file")}
            <span className={styles.plus}>+{added}</span>
            <span className={styles.minus}>{`\u2212${removed}`}</span>
          </>
        }
      />
      <p className={styles.text}>
        <Prose text={change === "" ? fix.title : change} />
      </p>
      <Diff files={fix.files} compact />
      <div className={styles.belief}>
        <Belief confidence={fix.confidence} />
      </div>
      <SectionHead title="Evidence" end={tally(fix.evidence)} />
      <Ladder evidence={fix.evidence} brief />
      {mind.length > 0 && (
        <>
          <SectionHead title="Before you apply" />
          <ul className={styles.mind}>
            {mind.map((line) => (
              <li key={line}>
                <Prose text={line} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Nothing({ view: { row, resolution } }: { view: FindingView }) {
  if (resolution === null) {
    return (
      <>
        <SectionHead title="No fix looked for yet" line={false} />
        <p className={styles.text}>
          A run asks every seat of the panel for a fix and checks each one on a copy of your folder. Nothing is written
          until you apply.
        </p>
      </>
    );
  }
  return (
    <>
      <SectionHead
        title={
          row.status === "suppressed" ? "Suppressed" : row.status === "dismissed" ? "Dismissed" : "No safe fix found"
        }
        line={false}
        end={count(resolution.fixes.length, "fix tried", "fixes tried")}
      />
      <p className={styles.text}>
        <Prose text={sentence(resolution.reason ?? "")} />
      </p>
      {resolution.next !== null && (
        <p className={styles.text}>
          <b>What would help:</b> <Prose text={sentence(resolution.next)} />
        </p>
      )}
      <SeatsSection seats={resolution.seats} />
    </>
  );
}

/** As many selected findings as the panel spells out. */
const SPELLED_OUT = 50;

/** What applying the selected findings would write, before it is written. */
export function SelectionPeek({ findings }: { findings: readonly string[] }) {
  const backend = useBackend();
  const results = useQueries({
    queries: findings.slice(0, SPELLED_OUT).map((finding) => commandOptions(backend, "get_finding", { finding })),
  });
  const views = results.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const ready = views.filter((view) => view.row.status === "fix_ready");
  const files = new Set(ready.flatMap((view) => recommendedOf(view.resolution)?.files.map(({ path }) => path) ?? []));
  return (
    <aside className={styles.peek} tabIndex={0} aria-label="What the selection would change">
      <div className={styles.head}>
        <h2>{count(findings.length, "finding")} selected</h2>
        <p className={styles.problem}>
          Applying writes {count(ready.length, "recommended fix", "recommended fixes")} in {count(files.size, "file")}.
          The others are left alone.
        </p>
      </div>
      <ul className={styles.selection}>
        {views.map(({ row, resolution }) => {
          const fix = row.status === "fix_ready" ? recommendedOf(resolution) : undefined;
          const change = fix === undefined ? undefined : changeOf(fix);
          return (
            <li key={row.id}>
              <b className="cut">{row.title}</b>
              {change === undefined ? (
                <span className="faint">no fix ready</span>
              ) : (
                <span>
                  <span className={styles.plus}>+{change.added}</span>{" "}
                  <span className={styles.minus}>{`\u2212${change.removed}`}</span>
                </span>
              )}
              <code className="path cut">
                {fix?.files.map(({ path }) => path).join(", ") ?? place(row.path, row.line)}
              </code>
            </li>
          );
        })}
        {findings.length > SPELLED_OUT && <li className="faint">and {findings.length - SPELLED_OUT} more</li>}
      </ul>
    </aside>
  );
}

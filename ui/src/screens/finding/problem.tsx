/** The problem: in sentences, in the code, along its flow, and in the scanner's own words. */
import { useId, useState } from "react";
import type { FindingView, ReferenceView } from "../../backend/generated";
import { copyText } from "../../clipboard";
import { ExcerptLines, FileHead, StepBall } from "../../code/code";
import { Button } from "../../components/button";
import { KeysOf } from "../../components/kbd";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { count, sentence } from "../../format";
import styles from "./problem.module.css";

export function Problem({ view, step, onStep }: { view: FindingView; step: number; onStep: (step: number) => void }) {
  const { excerpt, flow, problem, unresolved, resolution } = view;
  const made = resolution?.synthesis ?? null;
  // What is said above already is not said again.
  const rootCause = made !== null && made.root_cause !== "" && made.root_cause !== problem ? made.root_cause : null;
  return (
    <>
      <SectionHead
        title="Problem"
        id="problem"
        level={2}
        line={false}
        end={
          flow.length > 0 && (
            <>
              step {step} of {flow.length}
              <KeysOf command="finding.flow.previous" />
              <KeysOf command="finding.flow.next" />
            </>
          )
        }
      />
      <p className={styles.text}>
        <Prose text={problem} />
      </p>
      {unresolved !== null && (
        <p className={styles.unresolved}>
          <Mark name="not_available" />
          <span>
            The place cannot be shown: <Prose text={sentence(unresolved)} />
          </span>
        </p>
      )}
      {excerpt !== null && (
        <>
          <FileHead path={excerpt.path}>
            {[excerpt.language, count(excerpt.total_lines, "line")].filter((part) => part !== null).join(", ")}
          </FileHead>
          <ExcerptLines excerpt={excerpt} flow={flow} step={step} />
        </>
      )}
      {flow.length > 0 && (
        <>
          <SectionHead title="Flow" end={`source to sink, ${count(flow.length, "step")}`} />
          <ol className={styles.steps}>
            {flow.map((one, index) => (
              // Two steps may be the same place with the same words; their order is what they are.
              <li key={index}>
                <button
                  type="button"
                  aria-current={index + 1 === step ? "step" : undefined}
                  onClick={() => onStep(index + 1)}
                >
                  <StepBall number={index + 1} of={flow.length} now={index + 1 === step} />
                  <code className="cut" title={`${one.path}:${one.line}`}>
                    {one.path === excerpt?.path ? `:${one.line}` : `${one.path}:${one.line}`}
                  </code>
                  <span className="cut">{one.message ?? stepWord(index, flow.length)}</span>
                </button>
              </li>
            ))}
          </ol>
        </>
      )}
      {rootCause !== null && (
        <>
          <SectionHead title="Root cause" end={made?.model ?? "from the evidence"} />
          <p className={styles.text}>
            <Prose text={rootCause} />
          </p>
        </>
      )}
      <ScannerSays view={view} />
    </>
  );
}

function stepWord(index: number, length: number): string {
  if (index === 0) return "Source";
  return index === length - 1 ? "Sink" : "passes through";
}

function ScannerSays({ view }: { view: FindingView }) {
  const { row, message, tool_version, rule_help } = view;
  const references = referencesOf(view);
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <>
      <SectionHead
        title="What the scanner says"
        end={
          rule_help !== null && (
            <button
              type="button"
              className={styles.help_button}
              aria-expanded={open}
              aria-controls={id}
              onClick={() => setOpen(!open)}
            >
              rule help
              <Mark name={open ? "down" : "right"} size={10} />
            </button>
          )
        }
      />
      <p className={styles.says}>
        {row.tool} {tool_version} <code className="path">{row.rule}</code>: “{message}”
      </p>
      {open && rule_help !== null && (
        <pre id={id} className={`${styles.help} verbatim`} tabIndex={0} aria-label="Rule help, in the tool’s words">
          {rule_help}
        </pre>
      )}
      {references.length > 0 && (
        <>
          <SectionHead title="Read on" end="links are copied, never fetched" />
          <ul className={styles.references}>
            {references.map(({ url, title, query, date }) => (
              <li key={url}>
                <div>
                  {title !== "" && <p>{title}</p>}
                  <code className="path">{url}</code>
                  {(query !== null || date !== null) && <p className="faint">{foundWords(query, date)}</p>}
                </div>
                <CopyLink link={url} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** What the run found to read on; before a run, the addresses that the report names. */
function referencesOf({ references, resolution }: FindingView): ReferenceView[] {
  const found = resolution?.synthesis?.references ?? [];
  return found.length > 0 ? found : references.map((url) => ({ url, title: "", query: null, date: null }));
}

/** By which question a reference was found, and when. */
function foundWords(query: string | null, date: string | null): string {
  const by = query === null ? "" : `found by “${query}”`;
  return [by, date ?? ""].filter((part) => part !== "").join(", ");
}

function CopyLink({ link }: { link: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <Button look="quiet" aria-label={`Copy ${link}`} onClick={() => void copyText(link).then(setCopied)}>
      {copied ? "Copied" : "Copy"}
    </Button>
  );
}

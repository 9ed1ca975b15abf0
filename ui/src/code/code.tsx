/** Code on the screen: an excerpt with its marks and flow, and a diff with the words that changed. Read only. */
import type { Parser } from "@lezer/common";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { DiffLine, Excerpt, FileDiff, FlowStepView, Hunk } from "../backend/generated";
import styles from "./code.module.css";
import { type Token, highlight, parserOf } from "./highlight";
import { type Range, commonIndent, piecesOf } from "./pieces";
import { textOf } from "./patch";

/** The tokens of `lines`; plain until the parser has come. */
function useTokens(lines: readonly string[], language: string | null): Token[][] {
  const parser = useParser(language);
  return useMemo(() => (parser === null ? lines.map(() => []) : highlight(parser, lines)), [parser, lines]);
}

function useParser(language: string | null): Parser | null {
  const [loaded, setLoaded] = useState<{ language: string | null; parser: Parser } | null>(null);
  useEffect(() => {
    let live = true;
    void parserOf(language)?.then((parser) => live && setLoaded({ language, parser }));
    return () => {
      live = false;
    };
  }, [language]);
  return loaded?.language === language ? loaded.parser : null;
}

type SourceProps = { line: string; tokens: readonly Token[]; marks: readonly Range[]; indent?: number };

/** One line of code; `indent` characters at its start are left out. */
function Source({ line, tokens, marks, indent = 0 }: SourceProps) {
  return (
    <span className={styles.source}>
      {piecesOf(line, tokens, marks, indent).map(({ text, token, marked }, index) => {
        const piece = (
          <span key={index} className={token === null ? undefined : styles[token]}>
            {text}
          </span>
        );
        return marked ? <mark key={index}>{piece}</mark> : piece;
      })}
    </span>
  );
}

export function FileHead({ path, note, children }: { path: string; note?: string | null; children?: ReactNode }) {
  return (
    <div className={styles.file}>
      {note !== undefined && note !== null && <span>{note}</span>}
      <code className="cut" title={path}>
        {path}
      </code>
      <span className={styles.file_end}>{children}</span>
    </div>
  );
}

type Step = FlowStepView & { number: number };

/** The code around a finding; steps of its flow stand in the gutter. */
export function ExcerptLines({
  excerpt,
  flow,
  step,
}: {
  excerpt: Excerpt;
  flow: readonly FlowStepView[];
  step: number;
}) {
  const tokens = useTokens(excerpt.lines, excerpt.language);
  const now = useRef<HTMLDivElement>(null);
  // Only a walk along the flow moves the code; the page opens at its top.
  const walked = useRef(step);
  useEffect(() => {
    if (walked.current !== step) now.current?.scrollIntoView({ block: "nearest" });
    walked.current = step;
  }, [step]);
  const here = flow
    .map((one, index): Step => ({ ...one, number: index + 1 }))
    .filter(({ path, line }) => path === excerpt.path && line > 0);
  const first = Math.min(...here.map(({ line }) => line));
  const last = Math.max(...here.map(({ line }) => line));
  return (
    <div
      className={`${styles.code} ${styles.excerpt}`}
      data-flow={here.length > 0}
      role="group"
      aria-label={`Code of ${excerpt.path}`}
    >
      {excerpt.lines.map((line, index) => {
        const number = excerpt.first_line + index;
        // The current step wins where several share a line.
        const on = here.filter((one) => one.line === number);
        const shown = on.find((one) => one.number === step) ?? on[0];
        const isNow = shown?.number === step;
        const marks = excerpt.marks
          .filter((mark) => mark.line === number)
          .map(({ start, end }) => ({ from: start, to: end }));
        const through = number >= first && number <= last && first !== last;
        return (
          <div
            key={number}
            ref={isNow ? now : undefined}
            className={styles.line}
            data-now={isNow}
            data-marked={marks.length > 0}
            data-through={through ? (number === first ? "from" : number === last ? "to" : "on") : undefined}
          >
            <span className={styles.number}>{number}</span>
            <span className={styles.via}>
              {shown !== undefined && <StepBall number={shown.number} of={flow.length} now={isNow} />}
            </span>
            <Source line={line} tokens={tokens[index] ?? []} marks={marks} />
          </div>
        );
      })}
    </div>
  );
}

/** The number of a step: filled at source and sink, accent where one is. */
export function StepBall({ number, of, now }: { number: number; of: number; now: boolean }) {
  const end = number === 1 || number === of;
  return (
    <b className={styles.step} data-end={end} data-now={now}>
      {number}
    </b>
  );
}

/** All files of a change, each with its head; `compact` leaves the surroundings out. */
export function Diff({
  files,
  note,
  compact = false,
}: {
  files: readonly FileDiff[];
  note?: string;
  compact?: boolean;
}) {
  return files.map((file) => (
    <section key={file.path} aria-label={`Change of ${file.path}`}>
      <FileHead path={file.path} note={note ?? null}>
        <span className={styles.plus}>+{file.added}</span>
        <span className={styles.minus}>{`\u2212${file.removed}`}</span>
      </FileHead>
      <div className={`${styles.code} ${styles.diff}`}>
        {file.hunks.map((hunk, index) => (
          <HunkLines key={index} hunk={hunk} language={file.language} compact={compact} apart={index > 0} />
        ))}
      </div>
    </section>
  ));
}

function HunkLines({
  hunk,
  language,
  compact,
  apart,
}: {
  hunk: Hunk;
  language: string | null;
  compact: boolean;
  apart: boolean;
}) {
  const before = useSide(hunk, "added", language);
  const after = useSide(hunk, "removed", language);
  const shown = compact ? hunk.lines.filter((line) => line.kind !== "same") : hunk.lines;
  const indent = compact ? commonIndent(shown.map(textOf)) : 0;
  return (
    <div className={styles.hunk} data-apart={apart} data-hunk>
      {shown.map((line) => (
        <div key={`${line.old} ${line.new}`} className={styles.line} data-kind={line.kind}>
          <span className={styles.number}>{line.old}</span>
          <span className={styles.number}>{line.new}</span>
          <span className={styles.sign}>
            <SignOf line={line} />
          </span>
          <Source
            line={textOf(line)}
            tokens={(line.kind === "removed" ? before : after).get(line) ?? []}
            marks={changed(line)}
            indent={indent}
          />
        </div>
      ))}
    </div>
  );
}

function SignOf({ line }: { line: DiffLine }) {
  switch (line.kind) {
    case "added":
      return <ins>+</ins>;
    case "removed":
      return <del>{"\u2212"}</del>;
    case "same":
      return null;
  }
}

/** Colours of one side of a hunk: the text as it was, or as it will be. */
function useSide(hunk: Hunk, without: DiffLine["kind"], language: string | null): Map<DiffLine, Token[]> {
  const lines = useMemo(() => hunk.lines.filter((line) => line.kind !== without), [hunk, without]);
  const texts = useMemo(() => lines.map(textOf), [lines]);
  const tokens = useTokens(texts, language);
  return useMemo(() => new Map(lines.map((line, index) => [line, tokens[index] ?? []])), [lines, tokens]);
}

/** Where the words of a line changed; nothing where the whole line is new, since its ground says so. */
function changed(line: DiffLine): Range[] {
  if (line.pieces.every((piece) => piece.changed)) return [];
  let at = 0;
  return line.pieces.flatMap(({ text, changed: is }) => {
    const from = at;
    at += text.length;
    return is ? [{ from, to: at }] : [];
  });
}

/**
 * A person's own version of a fix: its texts in a plain editor, checked on a copy as any other fix.
 *
 * What was typed outlives leaving the editor, so that looking something up loses nothing; so does its check.
 */
import { type KeyboardEvent, useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useChange, useCommand } from "../../api/client";
import type { FixText } from "../../backend/generated";
import { useCommands } from "../../commands/active";
import { Button, CommandButton } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { SectionHead } from "../../components/section";
import { count, sentence } from "../../format";
import { useNotices } from "../frame/notice";
import { type Draft, beginCheck, draftKey, draftOf, endCheck, isBeingChecked, keepDraft, onCheck } from "./drafts";
import { changedWords, firstChange, indentAt, lineNumbers } from "./edit";
import compare from "./compare.module.css";
import styles from "./fix-editor.module.css";

/** The height of a line, in pixels, as in the style sheet. */
const LINE = 20;
/** So many lines stand above the first change when a file is opened. */
const ABOVE = 6;

type Shared = {
  finding: string;
  fix: string;
  /** Where it stands among the fixes, from 1. */
  number: number;
  onLeave: () => void;
  /** Hears which fix the version has become. */
  onChecked: (fix: string) => void;
};

export function FixEditor(shared: Shared) {
  const { finding, fix, onLeave } = shared;
  const { data, error, refetch } = useCommand("get_texts", { finding, fix });
  useCommands({ "finding.edit.leave": { run: onLeave } });
  if (data !== undefined && data.fix === fix) return <Texts {...shared} files={data.files} />;
  return (
    <div className={styles.editor}>
      <SectionHead title="Edit" level={2} line={false} />
      {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
      <Button className={styles.alone} onClick={onLeave}>
        Leave
      </Button>
    </div>
  );
}

function Texts({ finding, fix, number, files, onLeave, onChecked }: Shared & { files: FixText[] }) {
  const key = draftKey(finding, fix);
  const [typed, setTyped] = useState<Draft>(draftOf(key) ?? {});
  const [shown, setShown] = useState(0);
  const edit = useChange("edit_fix");
  const isChecked = useSyncExternalStore(onCheck, () => isBeingChecked(key));
  const { say, sayError } = useNotices();
  const isOpen = useRef(false);
  useEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  const file = files[shown] ?? files[0];
  const textOf = ({ path, after }: FixText) => typed[path] ?? after;
  const changed = files.filter((one) => textOf(one) !== one.after);

  const keep = (next: Draft) => {
    setTyped(next);
    keepDraft(key, files.some(({ path, after }) => (next[path] ?? after) !== after) ? next : null);
  };
  const check = () => {
    beginCheck(key);
    edit.mutate(
      {
        finding,
        fix,
        change: { kind: "texts", files: files.map((one) => ({ path: one.path, text: textOf(one) })) },
      },
      {
        onSuccess: ({ fix: made, stopped }) => {
          endCheck(key, true);
          onChecked(made);
          say(
            stopped === null
              ? { tone: "pass", title: "Your version was checked, and can be applied" }
              : { tone: "plain", title: "Your version was checked, and stopped", lines: [sentence(stopped)] },
          );
        },
        onError: (error) => {
          endCheck(key, false);
          if (!isOpen.current) sayError("Your version was not checked", error);
        },
      },
    );
  };
  const checking = {
    run: check,
    disabled: isChecked
      ? "Your version is being checked"
      : changed.length === 0
        ? "Nothing is different from the fix yet"
        : undefined,
  };
  useCommands({ "finding.edit.check": checking });

  return (
    <div className={styles.editor}>
      <SectionHead
        title={`Edit fix ${number}`}
        id="fixes"
        level={2}
        line={false}
        note="becomes a fix of its own"
        end={
          files.length > 1 && (
            <span className={compare.pick}>
              {files.map((one, index) => (
                <button key={one.path} type="button" aria-pressed={one === file} onClick={() => setShown(index)}>
                  {one.path}
                </button>
              ))}
            </span>
          )
        }
      />
      {file !== undefined && (
        <Pad
          key={file.path}
          file={file}
          text={textOf(file)}
          locked={isChecked}
          onText={(text) => keep({ ...typed, [file.path]: text })}
          onLeave={onLeave}
        />
      )}
      {edit.error !== null && <ErrorNote error={edit.error} />}
      <Footer label="Actions">
        <CommandButton command="finding.edit.check" action={checking} look="primary">
          {isChecked ? "Checking…" : "Check it"}
        </CommandButton>
        <CommandButton command="finding.edit.leave" action={{ run: onLeave }}>
          {changed.length > 0 ? "Leave, and keep it" : "Leave"}
        </CommandButton>
        <FooterNote>
          {changed.length === 0
            ? "Checked on a copy as any other fix; nothing is written before you apply it."
            : `${count(changed.length, "file")} changed: ${changedWords(changed.map(({ path }) => path))}.`}
        </FooterNote>
        {changed.length > 0 && (
          <Button look="quiet" disabled={isChecked} onClick={() => keep({})}>
            Start over
          </Button>
        )}
      </Footer>
    </div>
  );
}

function Pad({
  file,
  text,
  locked,
  onText,
  onLeave,
}: {
  file: FixText;
  text: string;
  locked: boolean;
  onText: (text: string) => void;
  onLeave: () => void;
}) {
  const gutter = useRef<HTMLPreElement>(null);
  // Opens where the fix begins.
  const open = useCallback(
    (pad: HTMLTextAreaElement | null) => {
      if (pad === null) return;
      const { line, at } = firstChange(file.before, pad.value);
      pad.focus();
      pad.setSelectionRange(at, at);
      pad.scrollTo({ top: Math.max(0, line - ABOVE) * LINE, left: 0 });
    },
    [file],
  );
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { currentTarget: pad, key, nativeEvent } = event;
    if (nativeEvent.isComposing) return;
    if (key === "Escape") {
      event.preventDefault();
      onLeave();
    } else if (key === "Enter" && !event.ctrlKey && !event.metaKey && !locked) {
      event.preventDefault();
      // As if it were typed, so that it can be taken back.
      document.execCommand("insertText", false, `\n${indentAt(pad.value, pad.selectionStart)}`);
    }
  };
  return (
    <>
      <p className={styles.path}>
        <code className="path">{file.path}</code>
        <span>{count(text.split("\n").length, "line")}</span>
      </p>
      <div className={styles.pad}>
        <pre ref={gutter} className={styles.gutter} aria-hidden="true">
          {lineNumbers(text)}
        </pre>
        <textarea
          ref={open}
          className={styles.text}
          aria-label={`Your version of ${file.path}`}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          wrap="off"
          readOnly={locked}
          value={text}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={onKeyDown}
          onScroll={(event) => {
            if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
    </>
  );
}

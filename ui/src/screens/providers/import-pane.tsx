/** A configuration of another program: what it would change is shown first, and taken over on the person's word. */
import { useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { ConfigChange, ConfigFileCheck, ConfigRemark } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Field } from "../../components/field";
import { Footer, FooterNote } from "../../components/footer";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { focus, focusFirst } from "../../focus";
import { count, fileName, sentence } from "../../format";
import { useNotices } from "../frame/notice";
import styles from "./import-pane.module.css";

/** More remarks or changes than this are not drawn. */
const MOST = 100;

export function ImportPane({
  path,
  onPath,
  onDone,
  onCancel,
}: {
  path: string | null;
  onPath: (path: string | null) => void;
  onDone: () => void;
  onCancel: () => void;
}) {
  if (path === null) return <ChooseFile onPath={onPath} onCancel={onCancel} />;
  return <Checked path={path} onOther={() => onPath(null)} onDone={onDone} onCancel={onCancel} />;
}

function ChooseFile({ onPath, onCancel }: { onPath: (path: string) => void; onCancel: () => void }) {
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  return (
    <form
      className={styles.pane}
      aria-label="Import a configuration"
      ref={focusFirst}
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        const path = typed.trim();
        if (path.startsWith("/")) onPath(path);
        else setWrong("a file is named by its whole path, such as `/home/you/config.yaml`");
      }}
    >
      <h2 className={styles.title}>Import a configuration</h2>
      <div className={styles.scroll}>
        <div className={styles.text}>
          <p>
            A YAML file with a block <code>inference</code> or <code>ai_sampling</code>, as Superego has it: its models,
            their order and its limits become your settings.
          </p>
          <p>Type its path, or drop it anywhere on this window. What it would change is shown before it does.</p>
        </div>
        <div className={styles.field}>
          <Field
            label="File"
            required
            code
            placeholder="/home/you/config.yaml"
            value={typed}
            fault={wrong}
            onChange={(event) => {
              setTyped(event.target.value);
              setWrong(null);
            }}
          />
        </div>
      </div>
      <Footer label="Actions">
        <Button type="submit" look="primary" disabled={typed.trim() === ""}>
          Look into it
        </Button>
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <FooterNote>Nothing is written yet.</FooterNote>
      </Footer>
    </form>
  );
}

function Checked({
  path,
  onOther,
  onDone,
  onCancel,
}: {
  path: string;
  onOther: () => void;
  onDone: () => void;
  onCancel: () => void;
}) {
  const { data, error, refetch } = useCommand("check_config_file", { path });
  const take = useChange("import_config");
  const { say } = useNotices();
  const changes = data?.check.changes ?? [];
  const takeOver = ({ config, check }: ConfigFileCheck) =>
    config !== null &&
    take.mutate(
      { config, expected_digest: check.digest },
      {
        onSuccess: ({ changes: made, backup }) => {
          say({
            tone: "pass",
            title: `${count(made.length, "setting")} taken over from ${fileName(path)}`,
            lines: backup === null ? [] : [`The settings from before are in \`${backup}\`.`],
          });
          onDone();
        },
      },
    );
  return (
    <div className={styles.pane}>
      <h2 className={styles.title}>
        <code>{fileName(path)}</code>
      </h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="What it would change" ref={focus}>
        {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
        {take.error !== null && <ErrorNote error={take.error} />}
        {data === undefined && error === null && (
          <p className={styles.text} role="status">
            Reading the file…
          </p>
        )}
        {data !== undefined && error === null && <Found found={data} />}
      </div>
      <Footer label="Actions">
        {data !== undefined && data.config !== null && changes.length > 0 && (
          <Button look="primary" disabled={take.isPending} onClick={() => takeOver(data)}>
            {take.isPending ? "Importing…" : `Import ${count(changes.length, "setting")}`}
          </Button>
        )}
        <Button onClick={onOther}>Another file</Button>
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </Footer>
    </div>
  );
}

function Found({ found: { check } }: { found: ConfigFileCheck }) {
  if (check.faults.length > 0) {
    return (
      <>
        <div className={styles.text}>
          <p>
            <b>It cannot be used as it is.</b> Correct the file, and look into it again.
          </p>
        </div>
        <SectionHead title="What is wrong" end={count(check.faults.length, "place")} />
        <Remarks remarks={check.faults} mark="fail" />
      </>
    );
  }
  return (
    <>
      <div className={styles.text}>
        <p>
          {check.changes.length === 0 ? (
            <>
              <b>Nothing would change:</b> your settings say all of it already.
            </>
          ) : (
            <>
              These settings would be different in <code>{check.path}</code>; everything else in it keeps its bytes.
            </>
          )}
        </p>
      </div>
      {check.changes.length > 0 && (
        <>
          <SectionHead title="What would change" end={count(check.changes.length, "setting")} />
          <ul>
            {check.changes.slice(0, MOST).map((change) => (
              <Change key={change.setting} change={change} />
            ))}
          </ul>
        </>
      )}
      {check.notes.length > 0 && (
        <>
          <SectionHead title="What to know" end={count(check.notes.length, "note")} />
          <Remarks remarks={check.notes} mark="info" />
        </>
      )}
    </>
  );
}

function Remarks({ remarks, mark }: { remarks: readonly ConfigRemark[]; mark: "info" | "fail" }) {
  return (
    <ul>
      {remarks.slice(0, MOST).map(({ line, text, loud }, index) => (
        <li key={index} className={styles.remark} data-tone={mark === "fail" ? "fail" : loud ? "loud" : "quiet"}>
          <Mark name={mark === "fail" ? "fail" : loud ? "flaky" : "info"} />
          <span>
            <Prose text={sentence(text)} />
          </span>
          <span className={styles.line}>{line === null ? "" : `line ${line}`}</span>
        </li>
      ))}
      {remarks.length > MOST && <li className={styles.remark}>and {remarks.length - MOST} more</li>}
    </ul>
  );
}

function Change({ change: { setting, before, after } }: { change: ConfigChange }) {
  return (
    <li className={styles.change}>
      <code className={styles.setting}>{setting}</code>
      {isShort(after) && (before === null || isShort(before)) ? (
        <span className={styles.values}>
          {before !== null && (
            <>
              <del>{before}</del>
              <Mark name="right" size={10} />
              <span className="heard"> becomes </span>
            </>
          )}
          <ins>{after}</ins>
        </span>
      ) : (
        <Fields before={before} after={after} />
      )}
    </li>
  );
}

function isShort(value: string): boolean {
  return !value.startsWith("{") && value.length < 200;
}

/** The fields of an entry that are new or different, a line each. */
function Fields({ before, after }: { before: string | null; after: string }) {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  // Its name stands above already.
  const names = [...new Set([...Object.keys(now), ...Object.keys(old)])].filter(
    (name) => name !== "name" && old[name] !== now[name],
  );
  return (
    <dl className={styles.fields}>
      {names.map((name) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={styles.values}>
            {old[name] !== undefined && (
              <>
                <del>{old[name]}</del>
                <Mark name="right" size={10} />
                <span className="heard"> becomes </span>
              </>
            )}
            <ins>{now[name] ?? "as usual"}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function fieldsOf(text: string | null): Record<string, string | undefined> {
  const value: unknown = text === null ? {} : JSON.parse(text);
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, typeof field === "string" ? field : JSON.stringify(field)]),
  );
}

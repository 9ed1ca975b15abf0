/** The person's word on a project's own code: whether its build and its tests may run, and by which commands. */
import { type FormEvent, useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { CommandChoice, CommandsView, RunnerView, SaveCommands } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Choice, Field } from "../../components/field";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { sentence } from "../../format";
import { useNotices } from "../frame/notice";
import styles from "./project-code.module.css";

export function ProjectCode({ project }: { project: string }) {
  const { data: projects } = useCommand("list_projects", {});
  const root = projects?.items.find(({ id }) => id === project)?.root;
  if (root === undefined) return null;
  return <OfFolder root={root} />;
}

function OfFolder({ root }: { root: string }) {
  const { data: view, error, refetch } = useCommand("get_commands", { root });
  const [editing, setEditing] = useState(false);
  const { say, sayError } = useNotices();
  const save = useChange("save_commands");
  const change = (what: Partial<SaveCommands>, title: string, onSaved?: () => void) =>
    save.mutate(
      { root, agreed: null, build: null, test: null, ...what },
      {
        onSuccess: () => {
          say({ tone: "plain", title });
          onSaved?.();
        },
        onError: (failure) => sayError("Your word was not kept", failure),
      },
    );
  return (
    <>
      <SectionHead
        title="This project’s own code"
        end={view !== undefined && (view.agreed ? "may run" : "does not run")}
      />
      {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {view !== undefined && (
        <div className={styles.code}>
          <p>
            {view.agreed
              ? "Its build and its tests run on a copy, in the sandbox, without a network."
              : "The build and the tests are this project’s own code, so they wait for your word. They would run on a copy, in the sandbox, without a network."}
          </p>
          {view.sandbox !== null && (
            <p className={styles.trouble}>
              <Mark name="not_available" size={12} />
              <span>
                Nothing can run here: <Prose text={sentence(view.sandbox)} />
              </span>
            </p>
          )}
          {editing ? (
            <Edit
              view={view}
              busy={save.isPending}
              onClose={() => setEditing(false)}
              onSave={(build, test) => change({ build, test }, "Commands kept", () => setEditing(false))}
            />
          ) : (
            <>
              <dl>
                <dt>Build</dt>
                <dd>
                  <Chosen choice={view.build} recognised={null} />
                </dd>
                <dt>Tests</dt>
                <dd>
                  <Chosen choice={view.test} recognised={view.recognised} />
                </dd>
              </dl>
              <div className={styles.buttons}>
                {!view.agreed && (
                  <Button
                    aria-disabled={save.isPending}
                    onClick={() => change({ agreed: true }, "You agreed: the next run builds and tests its fixes")}
                  >
                    Agree
                  </Button>
                )}
                <Button look={view.agreed ? "plain" : "quiet"} onClick={() => setEditing(true)}>
                  Edit commands
                </Button>
                {view.agreed && (
                  <Button
                    look="quiet"
                    aria-disabled={save.isPending}
                    onClick={() => change({ agreed: false }, "Revoked: nothing of this project runs")}
                  >
                    Revoke
                  </Button>
                )}
              </div>
            </>
          )}
        </div>
      )}
    </>
  );
}

function Chosen({ choice, recognised }: { choice: CommandChoice; recognised: RunnerView[] | null }) {
  switch (choice.kind) {
    case "own":
      return <code>{choice.line}</code>;
    case "nothing":
      return "none";
    case "recognised":
      if (recognised === null) return "as recognised";
      if (recognised.length === 0) return "none recognised: name a command";
      return (
        <ul>
          {recognised.map((runner) => (
            <li key={`${runner.name} ${runner.folder}`}>
              <code title={runner.command ?? undefined}>{runner.line}</code>
              {runner.folder !== "" && (
                <>
                  {" "}
                  in <code>{runner.folder}</code>
                </>
              )}
              {runner.trouble !== null && (
                <>
                  : <Prose text={runner.trouble} />
                </>
              )}
            </li>
          ))}
        </ul>
      );
  }
}

const KINDS: readonly (readonly [CommandChoice["kind"], string])[] = [
  ["recognised", "As recognised"],
  ["nothing", "None"],
  ["own", "This one"],
];

function Edit({
  view,
  busy,
  onSave,
  onClose,
}: {
  view: CommandsView;
  busy: boolean;
  onSave: (build: CommandChoice, test: CommandChoice) => void;
  onClose: () => void;
}) {
  const [build, setBuild] = useState(view.build);
  const [test, setTest] = useState(view.test);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) onSave(build, test);
  };
  return (
    <form className={styles.form} aria-label="Commands" onSubmit={submit}>
      <OneCommand label="Build" choice={build} onChange={setBuild} />
      <OneCommand label="Tests" choice={test} onChange={setTest} />
      <div className={styles.buttons}>
        <Button type="submit" aria-disabled={busy}>
          Save
        </Button>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function OneCommand({
  label,
  choice,
  onChange,
}: {
  label: string;
  choice: CommandChoice;
  onChange: (choice: CommandChoice) => void;
}) {
  return (
    <>
      <Choice
        label={label}
        value={choice.kind}
        options={KINDS}
        onChoose={(kind) => onChange(kind === "own" ? { kind, line: "" } : { kind })}
      />
      {choice.kind === "own" && (
        <Field
          label={`${label} command`}
          code
          required
          value={choice.line}
          note="The program and its arguments; no shell sees it."
          onChange={(event) => onChange({ kind: "own", line: event.target.value })}
        />
      )}
    </>
  );
}

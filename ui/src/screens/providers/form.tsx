/** The setting of one model as a form: to add it, or to change it. What the core refuses stands beside its field. */
import { type ReactNode, useState } from "react";
import { useChange } from "../../api/client";
import type {
  ApiModel,
  CliModel,
  KnownModelList,
  LocalModel,
  ModelSettingView,
  WorkerView,
} from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Check, Choice, Field, Lines } from "../../components/field";
import { Footer, FooterNote } from "../../components/footer";
import { useNotices } from "../frame/notice";
import { fieldOf } from "./faults";
import { FileFacts } from "./file-facts";
import styles from "./form.module.css";
import { HeaderFields } from "./header-fields";
import { hostAt, modelAt } from "./known";
import { KnownModels } from "./known-models";
import { DIALECTS, freeName, nameFor } from "./names";
import { PriceFields } from "./price-fields";

export type EditedKind = "api" | "cli" | "local";

type Draft = Extract<ModelSettingView, { kind: EditedKind }>;

/** How a field shows what the core said about it. */
type FaultOf = (field: string) => string | null;

export function SettingForm({
  first,
  replaces,
  taken,
  known,
  worker,
  onDone,
  onCancel,
}: {
  first: Draft;
  /** The name of the model that is changed; `null` where one is added. */
  replaces: string | null;
  /** Names that others have. */
  taken: readonly string[];
  known: KnownModelList;
  worker: WorkerView;
  onDone: (name: string) => void;
  onCancel: () => void;
}) {
  const [draft, setDraft] = useState(first);
  // A name that nobody has typed follows the model.
  const [named, setNamed] = useState(first.setting.name !== "");
  const save = useChange("save_model");
  const { say } = useNotices();
  const [wrong, setWrong] = useState<string | null>(null);

  const name = named ? draft.setting.name : freeName(usualName(draft), taken);
  const fields = FIELDS[draft.kind];
  const about = save.error === null ? null : fieldOf(save.error, fields);
  const faultOf: FaultOf = (field) => (field === about && save.error !== null ? save.error.message : null);
  const set = <D extends Draft>(kind: D["kind"], change: Partial<D["setting"]>) =>
    setDraft((before) =>
      before.kind === kind ? ({ kind, setting: { ...before.setting, ...change } } as Draft) : before,
    );

  const common = {
    faultOf,
    name: (
      <Field
        label="Name"
        required
        value={name}
        fault={faultOf("name")}
        note="For people and rules; unique."
        onChange={(event) => {
          setNamed(true);
          setDraft({ ...draft, setting: { ...draft.setting, name: event.target.value } } as Draft);
        }}
      />
    ),
  };

  return (
    <form
      className={styles.form}
      aria-label={replaces === null ? "Add a model" : `Edit ${replaces}`}
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (wrong !== null) return;
        const model = { ...draft, setting: { ...draft.setting, name: name.trim() } } as Draft;
        save.mutate(
          { model, replaces },
          {
            onSuccess: ({ model: saved }) => {
              say({ tone: "pass", title: replaces === null ? `${saved} is added` : `${saved} is changed` });
              onDone(saved);
            },
          },
        );
      }}
    >
      <div className={styles.fields}>
        {draft.kind === "api" && (
          <ApiFields
            {...common}
            setting={draft.setting}
            set={(change) => set("api", change)}
            known={known}
            onWrong={setWrong}
          />
        )}
        {draft.kind === "cli" && <CliFields {...common} setting={draft.setting} set={(change) => set("cli", change)} />}
        {draft.kind === "local" && (
          <LocalFields {...common} setting={draft.setting} set={(change) => set("local", change)} worker={worker} />
        )}
        <Check
          label="Try it out only"
          note="It is asked beside the others; its answers are written down and never used."
          checked={draft.setting.trial}
          onChange={(trial) => setDraft({ ...draft, setting: { ...draft.setting, trial } } as Draft)}
        />
        {save.error !== null && about === null && <ErrorNote error={save.error} />}
      </div>
      <Footer label="Actions">
        <Button type="submit" look="primary" disabled={save.isPending || wrong !== null}>
          {save.isPending ? "Saving…" : replaces === null ? "Add" : "Save"}
        </Button>
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <FooterNote>{wrong ?? "It is asked nothing yet."}</FooterNote>
      </Footer>
    </form>
  );
}

const FIELDS: Record<EditedKind, readonly string[]> = {
  api: ["name", "model", "base_url", "key_env", "headers", "max_concurrent"],
  cli: ["name", "command", "key_env", "base_url", "max_concurrent"],
  local: ["name", "file", "context_tokens", "threads"],
};

function usualName(draft: Draft): string {
  switch (draft.kind) {
    case "api":
      return nameFor(draft.setting.model);
    case "cli":
      return PROGRAMS[draft.setting.type].name;
    case "local":
      return nameFor(draft.setting.file.replaceAll("\\", "/")).replace(/\.gguf$/i, "");
  }
}

type Common = { faultOf: FaultOf; name: ReactNode };

function ApiFields({
  setting,
  set,
  faultOf,
  name,
  known,
  onWrong,
}: Common & {
  setting: ApiModel;
  set: (change: Partial<ApiModel>) => void;
  known: KnownModelList;
  onWrong: (why: string | null) => void;
}) {
  const host = hostAt(known, setting.base_url);
  const model = host === undefined ? undefined : modelAt(known, host.id, setting.model);
  // What is set from the beginning is not hidden.
  const [first] = useState(setting);
  return (
    <>
      <Choice
        label="Provider"
        value={host?.id ?? "other"}
        options={[...known.hosts.map(({ id, title }) => [id, title] as const), ["other", "Another address"] as const]}
        onChoose={(id) => {
          const chosen = known.hosts.find((one) => one.id === id);
          set(
            chosen === undefined
              ? { base_url: "", dialect: null, key_env: null }
              : { base_url: chosen.base_url, dialect: chosen.dialect, key_env: null },
          );
        }}
      />
      <Field
        label="Model"
        required
        code
        placeholder="as the provider names it"
        value={setting.model}
        fault={faultOf("model")}
        onChange={(event) => set({ model: event.target.value })}
      />
      {host !== undefined && (
        <KnownModels known={known} host={host} model={setting.model} onChoose={(chosen) => set({ model: chosen })} />
      )}
      <PriceFields
        price={setting.price}
        known={model}
        onChange={(price, wrong) => {
          set({ price });
          onWrong(wrong);
        }}
      />
      {name}
      <Field
        label="Address"
        required
        code
        placeholder="https://api.example.com/v1"
        value={setting.base_url}
        fault={faultOf("base_url")}
        note={/^http:\/\/(127\.|localhost|\[::1\])/.test(setting.base_url) && "On this machine."}
        onChange={(event) => set({ base_url: event.target.value })}
      />
      <Choice
        label="How it speaks"
        value={setting.dialect ?? "told"}
        options={[
          ["told", "As its host is known to"] as const,
          ...(Object.keys(DIALECTS) as (keyof typeof DIALECTS)[]).map((key) => [key, DIALECTS[key]] as const),
        ]}
        onChoose={(key) => set({ dialect: key === "told" ? null : key })}
      />
      <Field
        label="Key"
        code
        placeholder="from your keychain"
        value={setting.key_env ?? ""}
        fault={faultOf("key_env")}
        note={
          <>
            Leave it empty and paste the key into your keychain next. Or name a variable
            {host === undefined ? (
              ""
            ) : (
              <>
                , such as <code>{host.key_env}</code>
              </>
            )}
            ; never the key itself.
          </>
        }
        onChange={(event) => set({ key_env: event.target.value.trim() === "" ? null : event.target.value.trim() })}
      />
      <MayHaveCode checked={setting.may_send_code} onChange={(may_send_code) => set({ may_send_code })} />
      <details
        className={styles.details}
        open={
          faultOf("max_concurrent") !== null ||
          faultOf("headers") !== null ||
          first.max_concurrent !== null ||
          Object.keys(first.headers ?? {}).length > 0
        }
      >
        <summary>Headers, and how many at a time</summary>
        <HeaderFields
          headers={setting.headers ?? {}}
          fault={faultOf("headers")}
          onChange={(headers) => set({ headers })}
        />
        <Field
          label="At a time"
          inputMode="numeric"
          placeholder="no limit of its own"
          value={setting.max_concurrent ?? ""}
          fault={faultOf("max_concurrent")}
          onChange={(event) => set({ max_concurrent: whole(event.target.value) })}
        />
      </details>
    </>
  );
}

export const PROGRAMS: Record<CliModel["type"], { title: string; name: string; place: string }> = {
  claude: { title: "Claude Code", name: "claude_cli", place: "claude" },
  codex: { title: "Codex", name: "codex_cli", place: "codex" },
  gemini: { title: "Gemini CLI", name: "gemini_cli", place: "gemini" },
  generic: { title: "Another program", name: "program", place: "/path/to/program" },
};

function CliFields({
  setting,
  set,
  faultOf,
  name,
}: Common & { setting: CliModel; set: (change: Partial<CliModel>) => void }) {
  const generic = setting.type === "generic";
  const [args, setArgs] = useState((setting.args ?? []).join(" "));
  // What is set from the beginning is not hidden.
  const [first] = useState(setting);
  return (
    <>
      <Choice
        label="Program"
        value={setting.type}
        options={(Object.keys(PROGRAMS) as CliModel["type"][]).map((key) => [key, PROGRAMS[key].title] as const)}
        onChoose={(type) => set({ type })}
      />
      {name}
      <Field
        label="Command"
        code
        required={generic}
        placeholder={PROGRAMS[setting.type].place}
        value={setting.command ?? ""}
        fault={faultOf("command")}
        note={generic ? "The question comes on its standard input." : "Found on your path where this stays empty."}
        onChange={(event) => set({ command: orNull(event.target.value) })}
      />
      {generic && (
        <Field
          label="Arguments"
          code
          placeholder="--model {model} --schema {schema_file}"
          value={args}
          note={
            <>
              Split at spaces. <code>{"{model}"}</code>, <code>{"{system_file}"}</code> and{" "}
              <code>{"{schema_file}"}</code> stand for what they say.
            </>
          }
          onChange={(event) => {
            setArgs(event.target.value);
            set({ args: event.target.value.split(/\s+/).filter((one) => one !== "") });
          }}
        />
      )}
      <Field
        label="Model"
        code
        placeholder="the program’s own choice"
        value={setting.model ?? ""}
        onChange={(event) => set({ model: orNull(event.target.value) })}
      />
      <Field
        label="Reaches"
        code
        required={generic}
        placeholder={generic ? "https://api.example.com" : "its usual place"}
        value={setting.base_url ?? ""}
        fault={faultOf("base_url")}
        note="The one place it can reach. It runs in the sandbox, without tools, in an empty folder."
        onChange={(event) => set({ base_url: orNull(event.target.value) })}
      />
      <Field
        label="Key"
        code
        placeholder="from your keychain, else its own login"
        value={setting.key_env ?? ""}
        fault={faultOf("key_env")}
        note="Or the name of a variable; never the key itself."
        onChange={(event) => set({ key_env: orNull(event.target.value) })}
      />
      <MayHaveCode checked={setting.may_send_code} onChange={(may_send_code) => set({ may_send_code })} />
      <details
        className={styles.details}
        open={faultOf("max_concurrent") !== null || first.max_concurrent !== null || first.system_prompt !== null}
      >
        <summary>What it is told first, second tries, and how many at a time</summary>
        <Lines
          label="Told first"
          placeholder="nothing"
          value={setting.system_prompt ?? ""}
          note="Put before the instructions of each question."
          onChange={(event) => set({ system_prompt: orNull(event.target.value) })}
        />
        <Field
          label="Second tries"
          inputMode="numeric"
          value={setting.max_retries}
          note="After a failure, inside the time limit; 0 is none."
          onChange={(event) => set({ max_retries: whole(event.target.value) ?? 0 })}
        />
        <Field
          label="Pause"
          inputMode="numeric"
          value={setting.retry_delay_ms}
          note="Before each of them, in milliseconds."
          onChange={(event) => set({ retry_delay_ms: whole(event.target.value) ?? 0 })}
        />
        <Field
          label="At a time"
          inputMode="numeric"
          placeholder="no limit of its own"
          value={setting.max_concurrent ?? ""}
          fault={faultOf("max_concurrent")}
          onChange={(event) => set({ max_concurrent: whole(event.target.value) })}
        />
      </details>
    </>
  );
}

function LocalFields({
  setting,
  set,
  faultOf,
  name,
  worker,
}: Common & { setting: LocalModel; set: (change: Partial<LocalModel>) => void; worker: WorkerView }) {
  return (
    <>
      <Field
        label="File"
        required
        code
        placeholder="/home/you/models/coder-q4.gguf"
        value={setting.file}
        fault={faultOf("file")}
        note="A GGUF file that you have. Conclave never downloads one."
        onChange={(event) => set({ file: event.target.value })}
      />
      <FileFacts path={setting.file.trim()} context={setting.context_tokens} worker={worker} />
      {name}
      <Field
        label="Context"
        inputMode="numeric"
        placeholder="as much as it has, up to 8192"
        value={setting.context_tokens ?? ""}
        fault={faultOf("context_tokens")}
        note="Tokens of question and answer together. More wants more memory."
        onChange={(event) => set({ context_tokens: whole(event.target.value) })}
      />
      <Field
        label="Threads"
        inputMode="numeric"
        placeholder="one less than this machine has"
        value={setting.threads ?? ""}
        fault={faultOf("threads")}
        note="More than there are cores makes it slower."
        onChange={(event) => set({ threads: whole(event.target.value) })}
      />
    </>
  );
}

function MayHaveCode({ checked, onChange }: { checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <Check
      label="It may have code"
      note="Excerpts around a finding are sent there when a fix is looked for, with secrets taken out. Without this it is passed over unless it runs on this machine. You can read what would be sent first."
      checked={checked}
      onChange={onChange}
    />
  );
}

function orNull(text: string): string | null {
  return text.trim() === "" ? null : text;
}

/** A whole number, or nothing. */
function whole(text: string): number | null {
  const digits = text.replaceAll(/\D/g, "").slice(0, 9);
  return digits === "" ? null : Number(digits);
}

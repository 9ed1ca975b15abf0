/** What to add: five ways to a model, a set of them, or a configuration; then the form of the one that was chosen. */
import { type ReactNode, useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { KnownModelList, ModelList } from "../../backend/generated";
import { Button } from "../../components/button";
import { Footer, FooterNote } from "../../components/footer";
import { Mark, type MarkName } from "../../components/mark";
import { useNotices } from "../frame/notice";
import { focusFirst } from "../../focus";
import styles from "./add.module.css";
import { type EditedKind, SettingForm } from "./form";
import { NOTHING, settingFor } from "./known";
import { Servers } from "./servers";
import { Sets } from "./sets";

export const WAYS = ["api", "server", "cli", "local", "client", "set"] as const;

export type Way = (typeof WAYS)[number];

const WORDS: Record<Way | "import", { mark: MarkName; title: string; text: string }> = {
  api: {
    mark: "leave",
    title: "An API",
    text: "A hosted model behind an address. It wants a key, and what it is asked leaves this machine.",
  },
  server: {
    mark: "machine",
    title: "A server on this machine",
    text: "Ollama, LM Studio or llama.cpp. Conclave looks where they usually are, on this machine only.",
  },
  cli: {
    mark: "right",
    title: "A program",
    text: "Claude Code, Codex, Gemini CLI or another, with its own login. It runs in the sandbox, without tools.",
  },
  local: {
    mark: "file",
    title: "A model file",
    text: "A GGUF file that you have. It runs here, in a program of Conclave’s own; nothing leaves.",
  },
  client: {
    mark: "key",
    title: "The connected MCP client",
    text: "The model of the client that uses Conclave as its server. Few clients offer this, and it is being withdrawn.",
  },
  set: {
    mark: "seat",
    title: "A set of hosted models",
    text: "One for each kind of weakness, by what each is good at; what is retired is said, with what takes its place.",
  },
  import: {
    mark: "inbox",
    title: "A configuration that you have",
    text: "The YAML file of another program. What it would change is shown before it does.",
  },
};

export function Add({
  list,
  way,
  onWay,
  onImport,
  onDone,
}: {
  /** `undefined` until it is read; one can choose before. */
  list: ModelList | undefined;
  way: Way | null;
  onWay: (way: Way | null) => void;
  onImport: () => void;
  onDone: (name: string) => void;
}) {
  const known = useCommand("list_known_models", {});
  if (way === null) {
    return (
      <Around title="What do you want to add?">
        <ul className={styles.ways}>
          {[...WAYS, "import" as const].map((one) => (
            <li key={one}>
              <button type="button" className={styles.way} onClick={() => (one === "import" ? onImport() : onWay(one))}>
                <Mark name={WORDS[one].mark} size={16} />
                <span>
                  <b>{WORDS[one].title}</b>
                  <span>{WORDS[one].text}</span>
                </span>
                <Mark name="right" size={12} />
              </button>
            </li>
          ))}
        </ul>
      </Around>
    );
  }
  if (list === undefined) return null;
  const back = () => onWay(null);
  if (way === "server") {
    return (
      <Around title="A server on this machine">
        <Servers list={list} onBack={back} />
      </Around>
    );
  }
  if (way === "client") {
    return (
      <Around title="The connected MCP client">
        <Client list={list} onDone={onDone} onBack={back} />
      </Around>
    );
  }
  // What is known is part of Conclave, so it is there at once; where it is not, everything is typed.
  if (known.data === undefined && known.error === null) return null;
  if (way === "set") {
    return (
      <Around title={WORDS.set.title}>
        <Sets known={known.data ?? NOTHING} list={list} onBack={back} />
      </Around>
    );
  }
  return (
    <Around title={WORDS[way].title}>
      <SettingForm
        first={blank(way, known.data ?? NOTHING)}
        replaces={null}
        taken={list.models.map(({ name }) => name)}
        known={known.data ?? NOTHING}
        worker={list.worker}
        onDone={onDone}
        onCancel={back}
      />
    </Around>
  );
}

function Around({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={styles.around} ref={focusFirst}>
      <h2 className={styles.title}>{title}</h2>
      {children}
    </div>
  );
}

function blank(kind: EditedKind, { hosts }: KnownModelList): Parameters<typeof SettingForm>[0]["first"] {
  const switches = { enabled: true, trial: false };
  switch (kind) {
    case "api":
      return { kind, setting: settingFor(hosts[0] ?? { base_url: "", dialect: null }, "", "") };
    case "cli":
      return {
        kind,
        setting: {
          name: "",
          type: "claude",
          command: null,
          args: [],
          model: null,
          system_prompt: null,
          key_env: null,
          base_url: null,
          max_retries: 2,
          retry_delay_ms: 1000,
          may_send_code: false,
          max_concurrent: null,
          ...switches,
        },
      };
    case "local":
      return { kind, setting: { name: "", file: "", context_tokens: null, threads: null, ...switches } };
  }
}

/** The name of the client's model, which nobody chooses. */
const SAMPLING = "mcp_sampling";

function Client({ list, onDone, onBack }: { list: ModelList; onDone: (name: string) => void; onBack: () => void }) {
  const [trial, setTrial] = useState(true);
  const save = useChange("save_model");
  const { say, sayError } = useNotices();
  const on = list.models.some(({ name, enabled }) => name === SAMPLING && enabled);
  const add = () =>
    save.mutate(
      {
        model: { kind: "mcp_sampling", setting: { enabled: true, may_send_code: false, trial } },
        replaces: SAMPLING,
      },
      {
        onSuccess: () => {
          say({ tone: "pass", title: "The connected client is asked from now on, where it offers a model" });
          onDone(SAMPLING);
        },
        onError: (error) => sayError("The client was not added", error),
      },
    );
  return (
    <>
      <div className={styles.text}>
        <p>
          When a client such as an editor uses Conclave as its MCP server, it may lend Conclave the model that it works
          with. It is asked only while it is connected and only if it offers this.
        </p>
        <p>
          <b>This part of the protocol is being withdrawn.</b> Few clients have it, and none says which model answers or
          what it costs. Choose another way where you can.
        </p>
        <label className={styles.check}>
          <input type="checkbox" checked={trial} onChange={(event) => setTrial(event.target.checked)} />
          Try it out only
        </label>
      </div>
      <Footer label="Actions">
        <Button look="primary" disabled={on || save.isPending} onClick={add}>
          {on ? "It is asked already" : "Add"}
        </Button>
        <Button look="quiet" onClick={onBack}>
          Cancel
        </Button>
        <FooterNote>It gets no code until you let it have code.</FooterNote>
      </Footer>
    </>
  );
}

/** Servers on this machine with the models that they offer; looked for only when asked, added with one click. */
import { useChange, useCommand } from "../../api/client";
import type { CapabilitiesView, ModelList, OfferedView, ServerKind, ServerView } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { count, sentence } from "../../format";
import { useNotices } from "../frame/notice";
import { settingFor } from "./known";
import { freeName, nameFor } from "./names";
import styles from "./servers.module.css";

/** More models of one server than this are not drawn; they can be added by their address. */
const MOST = 50;

const SERVERS: Record<ServerKind, string> = {
  ollama: "Ollama",
  lm_studio: "LM Studio",
  llama_cpp: "llama.cpp",
  other: "Another server",
};

export function Servers({ list, onBack }: { list: ModelList; onBack: () => void }) {
  const { data, error, isFetching, refetch } = useCommand("discover_servers", {});
  return (
    <>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="Servers on this machine">
        {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
        {data === undefined && error === null && (
          <p className={styles.text} role="status">
            Looking at the usual ports of this machine…
          </p>
        )}
        {data !== undefined && data.servers.length === 0 && (
          <div className={styles.text} role="status">
            <p>
              <b>No server that offers models was found.</b>
            </p>
            <ul className={styles.looks}>
              {data.looked_at.map(({ origin, found }) => (
                <li key={origin}>
                  <code>{origin}</code> <Prose text={found} />
                </li>
              ))}
            </ul>
            <p>
              <Prose
                text={sentence(data.remedy ?? "start Ollama, LM Studio or llama.cpp with a model, then look again")}
              />
            </p>
          </div>
        )}
        {data?.servers.map((server) => (
          <Server key={server.base_url} server={server} list={list} />
        ))}
      </div>
      <Footer label="Actions">
        <Button look="primary" disabled={isFetching} onClick={() => void refetch()}>
          {isFetching ? "Looking…" : "Look again"}
        </Button>
        <Button look="quiet" onClick={onBack}>
          Back
        </Button>
        <FooterNote>Only this machine is asked.</FooterNote>
      </Footer>
    </>
  );
}

function Server({ server, list }: { server: ServerView; list: ModelList }) {
  const { kind, version, origin, wants_key, models } = server;
  return (
    <section aria-label={SERVERS[kind]}>
      <SectionHead
        title={SERVERS[kind]}
        note={
          <>
            {version} <code className="path">{origin}</code>
          </>
        }
        end={count(models.length, "model")}
      />
      {models.length === 0 && (
        <p className={styles.text}>
          {wants_key
            ? "It says no more without a key: add it as an API with this address, keep its key, and look again."
            : "It answers and offers no model yet."}
        </p>
      )}
      <ul>
        {models.slice(0, MOST).map((model) => (
          <Offered key={model.id} server={server} model={model} list={list} />
        ))}
      </ul>
      {models.length > MOST && (
        <p className={styles.text}>and {models.length - MOST} more: add them as an API at this address.</p>
      )}
    </section>
  );
}

function Offered({ server, model, list }: { server: ServerView; model: OfferedView; list: ModelList }) {
  const save = useChange("save_model");
  const { say, sayError } = useNotices();
  // Who was added since they were looked for.
  const added = list.models.some(
    ({ setting }) =>
      setting.kind === "api" && setting.setting.base_url === server.base_url && setting.setting.model === model.id,
  );
  const name = freeName(
    nameFor(model.id),
    list.models.map((row) => row.name),
  );
  const add = () =>
    save.mutate(
      {
        model: {
          kind: "api",
          setting: settingFor(server, model.id, name),
        },
        replaces: null,
      },
      {
        onSuccess: ({ model: saved }) => say({ tone: "pass", title: `${saved} is added, and asked last` }),
        onError: (error) => sayError(`${name} was not added`, error),
      },
    );
  return (
    <li className={styles.model}>
      <span>
        <code>{model.id}</code>
        <span className={styles.can}>{canWords(model.can)}</span>
      </span>
      <span className={styles.where}>
        <Mark name={model.class === "local" ? "machine" : "leave"} size={12} />
        {model.class === "local" ? "Runs here" : "Counts as leaving"}
      </span>
      {model.setting === null && !added ? (
        <Button disabled={save.isPending} aria-label={`Add ${model.id}`} onClick={add}>
          {save.isPending ? "Adding…" : "Add"}
        </Button>
      ) : (
        <span className={styles.there}>
          <Mark name="tick" size={12} />
          added
        </span>
      )}
    </li>
  );
}

/** What it can do, as far as the server says. */
function canWords({ context_tokens, schema, log_probabilities }: CapabilitiesView): string {
  const words = [
    ...(context_tokens === null ? [] : [`${context_tokens.toLocaleString("en")} tokens`]),
    ...(schema === true ? ["held to a schema"] : []),
    ...(log_probabilities === true ? ["says how sure"] : []),
  ];
  return words.join(", ");
}

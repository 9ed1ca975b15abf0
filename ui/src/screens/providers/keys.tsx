/** Keys by host: which hosts have one, where it comes from, and a place to put one. A key is never shown again. */
import { useId, useState } from "react";
import { useBackend, useChange, useCommand } from "../../api/client";
import { toApiError } from "../../backend/backend";
import type { KeyHost, KeyList } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { focus } from "../../focus";
import { ago, sentence } from "../../format";
import { useNow } from "../../now";
import { useNotices } from "../frame/notice";
import styles from "./keys.module.css";

export function Keys() {
  const keys = useCommand("list_keys", {});
  return (
    <>
      {keys.error !== null && <ErrorNote error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.data === undefined && keys.error === null && (
        <p className={styles.text} role="status">
          Waiting for your keychain…
        </p>
      )}
      {keys.data !== undefined && (
        <>
          <Keychain keys={keys.data} />
          {keys.data.hosts.length > 0 && (
            <ul className={styles.cards}>
              {keys.data.hosts.map((host) => (
                <Host key={host.host} host={host} usable={keys.data.keychain.ok} />
              ))}
            </ul>
          )}
          <Another usable={keys.data.keychain.ok} />
        </>
      )}
    </>
  );
}

/** The key of one host, for the page of a model that is asked there. */
export function KeyOf({ host }: { host: string }) {
  const keys = useCommand("list_keys", {});
  if (keys.error !== null) return <ErrorNote error={keys.error} onRetry={() => void keys.refetch()} />;
  if (keys.data === undefined) return <p className={styles.text}>Waiting for your keychain…</p>;
  const known = keys.data.hosts.find((one) => one.host === host);
  const shown: KeyHost = known ?? { host, models: [], source: { from: "none" }, set_at: null };
  return (
    <>
      <ul className={styles.cards}>
        <Host host={shown} usable={keys.data.keychain.ok} />
      </ul>
      {!keys.data.keychain.ok && (
        <p className={styles.text}>
          <Prose text={sentence(keys.data.keychain.remedy ?? keys.data.keychain.found)} />
        </p>
      )}
    </>
  );
}

function Keychain({ keys: { keychain, hosts } }: { keys: KeyList }) {
  return (
    <div className={styles.keychain} data-ok={keychain.ok}>
      <Mark name={keychain.ok ? "lock" : "not_available"} />
      <div>
        <p>
          <Prose text={sentence(keychain.found)} />
        </p>
        {keychain.remedy !== null && (
          <p>
            <Prose text={sentence(keychain.remedy)} />
          </p>
        )}
        <p className="small muted">
          {hosts.length === 0
            ? "No model of your settings needs a key. Recipes and scanners never do."
            : "A key is used for its own host only, and for nothing but the request that needs it."}
        </p>
      </div>
    </div>
  );
}

function Host({ host, usable }: { host: KeyHost; usable: boolean }) {
  const now = useNow();
  const [editing, setEditing] = useState(false);
  const erase = useChange("erase_key");
  const { say, sayError } = useNotices();
  const stored = host.source.from === "keychain";
  return (
    <li className={styles.card}>
      <div className={styles.name}>
        <h3>
          <code>{host.host}</code>
        </h3>
        <p className="small muted">{host.models.length === 0 ? "no model uses it" : host.models.join(", ")}</p>
      </div>
      <KeyState host={host} now={now} />
      {editing ? (
        <KeyField host={host.host} onDone={() => setEditing(false)} />
      ) : (
        <div className={styles.actions}>
          <Button disabled={!usable} onClick={() => setEditing(true)}>
            {stored ? "Replace key" : "Add key"}
          </Button>
          {stored && (
            <Button
              look="quiet"
              disabled={erase.isPending}
              onClick={() =>
                erase.mutate(
                  { host: host.host },
                  {
                    onSuccess: () => say({ tone: "pass", title: `The key of ${host.host} is removed` }),
                    onError: (error) => sayError("The key was not removed", error),
                  },
                )
              }
            >
              Remove
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

function KeyState({ host: { source, set_at }, now }: { host: KeyHost; now: number }) {
  switch (source.from) {
    case "keychain":
      return (
        <p className={styles.state} data-ok="true">
          <Mark name="pass" /> In the keychain{set_at !== null && `, set ${ago(set_at, now)}`}
        </p>
      );
    case "environment":
      return (
        <p className={styles.state} data-ok={source.set}>
          <Mark name={source.set ? "pass" : "not_run"} />
          <span>
            {source.set ? "From" : "Expected in"} the variable <code>{source.variable}</code>
            {!source.set && ", which was empty when Conclave started"}
          </span>
        </p>
      );
    case "none":
      return (
        <p className={styles.state} data-ok="false">
          <Mark name="not_run" /> No key
        </p>
      );
  }
}

/**
 * One line for a key: posted once, then forgotten by the page.
 *
 * It is not a mutation of the query client, which would remember what was posted.
 */
function KeyField({ host, onDone }: { host: string; onDone: () => void }) {
  const backend = useBackend();
  const [key, setKey] = useState("");
  const [waiting, setWaiting] = useState(false);
  const { say, sayError } = useNotices();
  const id = useId();
  const keep = async () => {
    const posted = backend.call("set_key", { host, key: key.trim() });
    setKey("");
    setWaiting(true);
    try {
      await posted;
      say({ tone: "pass", title: `The key of ${host} is in your keychain` });
      onDone();
    } catch (error) {
      sayError("The key was not kept", toApiError(error));
      setWaiting(false);
    }
  };
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void keep();
      }}
    >
      <label htmlFor={id} className="heard">
        {`Key for ${host}`}
      </label>
      <input
        id={id}
        type="password"
        autoComplete="off"
        ref={focus}
        placeholder="paste the key; it is not shown again"
        value={key}
        onChange={(event) => setKey(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone();
        }}
      />
      <Button type="submit" disabled={key.trim() === "" || waiting}>
        {waiting ? "Waiting for your keychain…" : "Keep"}
      </Button>
      <Button look="quiet" onClick={onDone}>
        Cancel
      </Button>
    </form>
  );
}

function Another({ usable }: { usable: boolean }) {
  const [host, setHost] = useState("");
  const [asked, setAsked] = useState<string | null>(null);
  const id = useId();
  if (asked !== null) {
    return (
      <div className={styles.another}>
        <p>
          Key for <code>{asked}</code>
        </p>
        <KeyField
          host={asked}
          onDone={() => {
            setAsked(null);
            setHost("");
          }}
        />
      </div>
    );
  }
  return (
    <form
      className={styles.another}
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(host.trim());
      }}
    >
      <label htmlFor={id}>Another host</label>
      <input
        id={id}
        value={host}
        placeholder="api.example.com"
        spellCheck={false}
        onChange={(event) => setHost(event.target.value)}
      />
      <Button type="submit" disabled={host.trim() === "" || !usable}>
        Add key
      </Button>
    </form>
  );
}

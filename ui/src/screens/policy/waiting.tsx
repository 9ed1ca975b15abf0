/** Requests that wait for the person: one at a time in full, and a bar on every other screen that says so. */
import { useEffect, useId, useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { AskAnswer, AskView, ReviewView } from "../../backend/generated";
import { useCommands } from "../../commands/active";
import { Button, CommandButton } from "../../components/button";
import { layerWords } from "../../components/decision";
import { ErrorNote } from "../../components/error-note";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { clock, count, sentence } from "../../format";
import { type Place, formatPlace, listOf } from "../../routes";
import { useNotices } from "../frame/notice";
import styles from "./waiting.module.css";

/** How long a request stands still before it can be answered, in milliseconds: nobody allows what just appeared. */
const ARMING_MS = 700;

/** Says on every other screen that somebody waits. */
export function WaitingBar({ place }: { place: Place }) {
  const { data } = useCommand("list_asks", {});
  const first = data?.asks[0];
  if (first === undefined) return null;
  const others = (data?.asks.length ?? 1) - 1;
  return (
    <div className={styles.bar} role="status">
      <Mark name="sample" />
      <span className="grow cut">
        {wish(first)}
        {others > 0 && `, and ${count(others, "other request")}`}
      </span>
      <a href={formatPlace({ screen: "policy", ...listOf(place) })}>Look and decide</a>
    </div>
  );
}

/** The oldest request that waits, whole, with the three answers. */
export function Waiting() {
  const { data, error, refetch } = useCommand("list_asks", {});
  if (error !== null) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  const first = data?.asks[0];
  return first === undefined ? null : <Ask key={first.id} ask={first} others={(data?.asks.length ?? 1) - 1} />;
}

function Ask({ ask, others }: { ask: AskView; others: number }) {
  const change = useChange("answer_ask");
  const { sayError } = useNotices();
  const [because, setBecause] = useState("");
  const [sure, setSure] = useState(false);
  const armed = useArmed(ask.request);
  const left = useLeft(ask.expires_at);
  const id = useId();
  const say = (answer: AskAnswer) =>
    change.mutate(
      { id: ask.id, answer, justification: because.trim() },
      { onError: (error) => sayError("Your answer was not taken", error) },
    );
  const disabled = change.isPending
    ? "Your answer is on its way"
    : armed
      ? undefined
      : "It has only just appeared; look at it first";
  const never = ask.always === null ? "No rule of yours can allow this for good" : undefined;
  const actions = {
    "policy.allow": { run: () => say("allow_once"), disabled },
    "policy.deny": { run: () => say("deny_once"), disabled: change.isPending ? disabled : undefined },
    "policy.always": { run: () => setSure(true), disabled: never ?? disabled },
  };
  useCommands(actions);
  return (
    <section className={styles.ask} aria-labelledby={id} data-waits>
      <header>
        <Mark name="sample" />
        <h3 id={id} className="grow">
          {wish(ask)}
        </h3>
        <span className={styles.left}>
          {others > 0 && `${others} more wait; `}
          {left > 0 ? `denied in ${clock(left)}` : "time is up: denied"}
        </span>
      </header>
      <dl>
        <dt>Why it waits</dt>
        <dd>
          <Prose text={sentence(ask.reason)} />
        </dd>
        <dt>Rule</dt>
        <dd>
          <code>{ask.rule}</code>
          {ask.layer !== null && `, ${layerWords(ask.layer).toLowerCase()}`}
        </dd>
        {ask.guidance !== null && (
          <>
            <dt>Look at</dt>
            <dd>
              <Prose text={sentence(ask.guidance)} />
            </dd>
          </>
        )}
        {ask.paths.length > 0 && (
          <>
            <dt>Files</dt>
            <dd>
              <ul>
                {ask.paths.map(({ given, real, written }) => (
                  <li key={given}>
                    <code>{real ?? given}</code>
                    <span className="faint">
                      {written ? ", written" : ", read"}
                      {real === null && "; where it leads is not known"}
                      {real !== null && real !== given && (
                        <>
                          ; named as <code>{given}</code>
                        </>
                      )}
                    </span>
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
      </dl>
      <div className={styles.exact}>
        <h4>Exactly this is asked</h4>
        <pre tabIndex={0}>{ask.request}</pre>
      </div>
      <label className={styles.because}>
        <span>Because</span>
        <input
          value={because}
          onChange={(event) => setBecause(event.target.value)}
          placeholder="kept with your answer; may stay empty"
        />
      </label>
      {sure && ask.always !== null ? (
        <div className={styles.rule}>
          <p>This rule is added to yours, and the request is allowed:</p>
          <pre tabIndex={0}>{ask.always}</pre>
          <div className={styles.answers}>
            <Button disabled={disabled !== undefined} onClick={() => say("always")}>
              Add this rule and allow
            </Button>
            <Button look="quiet" onClick={() => setSure(false)}>
              Not now
            </Button>
          </div>
        </div>
      ) : (
        <div className={styles.answers}>
          <CommandButton command="policy.allow" action={actions["policy.allow"]}>
            Allow once
          </CommandButton>
          <CommandButton command="policy.deny" action={actions["policy.deny"]}>
            Deny once
          </CommandButton>
          <span className="grow" />
          <CommandButton command="policy.always" action={actions["policy.always"]} look="quiet">
            Always for this pattern…
          </CommandButton>
        </div>
      )}
    </section>
  );
}

const WISHES: Record<string, string> = {
  send_http: "send a request to",
  call_tool: "use the tool",
  write_project: "change files in",
  write_file: "write",
  read_file: "read",
  read_project: "read",
  run_command: "run",
  read_key: "use the key of",
  write_key: "change the key of",
};

/** `GPT asks to send a request to api.openai.com`. */
export function wish({ actor, action, resource }: Pick<AskView, "actor" | "action" | "resource">): string {
  return `${who(actor)} asks to ${WISHES[action] ?? action.replaceAll("_", " ")} ${resource}`;
}

/** An actor in words: `analyst:Local Qwen` is `Local Qwen`. */
export function who(actor: string): string {
  const name = actor.replace(/^(analyst|agent):/, "");
  return actor === "person" ? "You" : actor === "engine" ? "Conclave" : actor === "reviewer" ? "The reviewer" : name;
}

export function reviewWords(review: ReviewView): string {
  if (review.by === "person") return review.justification === "" ? "You" : `You: \u201c${review.justification}\u201d`;
  const risks = review.risk_factors.length > 0 ? `; sees: ${review.risk_factors.join(", ")}` : "";
  const again = review.cached ? ", asked before" : "";
  return `${review.provider} (${review.model}), ${Math.round(review.confidence * 100)} % sure${again}${risks}`;
}

/** True once `content` has stood still for a while in a window that has the focus. */
function useArmed(content: string): boolean {
  const [armed, setArmed] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = () => {
      clearTimeout(timer);
      setArmed(false);
      timer = setTimeout(() => setArmed(true), ARMING_MS);
    };
    start();
    addEventListener("focus", start);
    return () => {
      clearTimeout(timer);
      removeEventListener("focus", start);
    };
  }, [content]);
  return armed;
}

/** Milliseconds until `at`, told every second. */
function useLeft(at: number): number {
  const [left, setLeft] = useState(() => at - Date.now());
  useEffect(() => {
    const timer = setInterval(() => setLeft(at - Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [at]);
  return left;
}

/** A request to try: what the rules in effect would say of it. Nothing is sent, and nothing recorded. */
import { useRef, useState } from "react";
import { useCommand } from "../../api/client";
import { useCommands } from "../../commands/active";
import { Decision } from "../../components/decision";
import { KeysOf } from "../../components/kbd";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { sentence } from "../../format";
import { useSettled } from "../../settled";
import styles from "./try-box.module.css";

const EXAMPLE = `{"actor": "agent:claude-code", "tool": "Bash", "parameters": {"command": "git push --force"}}`;

export function TryBox() {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const asked = useSettled(text.trim(), 300);
  useCommands({ "policy.try": { run: () => field.current?.focus() } });
  return (
    <div className={styles.box}>
      <SectionHead
        title="Try a request"
        level={2}
        end={
          <>
            nothing is sent <KeysOf command="policy.try" />
          </>
        }
      />
      <textarea
        ref={field}
        className={styles.field}
        aria-label="A request to try"
        rows={2}
        spellCheck={false}
        value={text}
        placeholder={EXAMPLE}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {asked === "" ? (
        <p className={styles.hint}>
          A request as JSON, as in a rule’s examples.{" "}
          <button type="button" className={styles.link} onClick={() => setText(EXAMPLE)}>
            Try this one
          </button>
        </p>
      ) : (
        <Answer request={asked} />
      )}
    </div>
  );
}

function Answer({ request }: { request: string }) {
  const { data, error } = useCommand("explain_request", { request });
  if (error !== null) {
    return (
      <p className={styles.fault} role="status">
        <Mark name="fail" size={12} />
        <span>
          <Prose text={sentence(error.message)} /> {error.details !== null && <Prose text={sentence(error.details)} />}
        </span>
      </p>
    );
  }
  if (data === undefined) return null;
  const tried = data.steps.filter(({ outcome }) => outcome !== "no_match");
  const passed = data.steps.length - tried.length;
  return (
    <div className={styles.answer} role="status">
      <p>
        <Decision effect={data.decision} /> <code>{data.rule}</code>{" "}
        <span className="muted">{sentence(data.reason)}</span>
      </p>
      {data.remedy !== null && (
        <p>
          <Prose text={sentence(data.remedy)} />
        </p>
      )}
      <ol className={styles.steps}>
        {tried.map(({ rule, layer, action, outcome, why }) => (
          <li key={`${layer} ${rule}`}>
            <Mark name={outcome === "error" ? "fail" : action} size={12} />
            <code className="path">{rule}</code>
            {outcome === "error" && <span>cannot be judged, so it denies{why !== null && `: ${why}`}</span>}
          </li>
        ))}
        <li className="faint">{passed} more do not match</li>
      </ol>
    </div>
  );
}

/** The person's own rules as text: what a change would have decided is shown before it is saved. */
import { useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { PolicyView, SimulationView } from "../../backend/generated";
import { Button } from "../../components/button";
import { Decision } from "../../components/decision";
import { ErrorNote } from "../../components/error-note";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { count, moment, sentence } from "../../format";
import { useNow } from "../../now";
import { useSettled } from "../../settled";
import { focus } from "../../focus";
import styles from "./editor.module.css";

/** How many recorded requests a change is tried on. */
const RECORDED = 1_000;

const FIRST = `version: 1
extends: default
rules:
  - id: no-force-push
    priority: 100
    action: deny
    reason: history is not rewritten
    conditions:
      tool: Bash
      parameters:
        command: { regex: "git push.*(--force|-f)" }
`;

export function Editor({ policy, onClose }: { policy: PolicyView; onClose: () => void }) {
  const [text, setText] = useState(policy.user_policy === "" ? FIRST : policy.user_policy);
  // The file as it was when it was opened: what somebody else saves meanwhile is not overwritten.
  const [opened] = useState(policy.digest);
  const save = useChange("save_policy");
  const settled = useSettled(text, 500);
  const {
    data: simulation,
    error,
    isPlaceholderData,
  } = useCommand("simulate_policy", {
    policy: settled,
    limit: RECORDED,
  });
  // Only what was tried is saved: not yet while the last answer is about another text.
  const known = settled === text && !isPlaceholderData && simulation?.fault === null;
  return (
    <div className={styles.editor}>
      <p className={styles.file}>
        <code className="path">{policy.path}</code>
      </p>
      <textarea
        className={styles.text}
        aria-label="Your rules"
        spellCheck={false}
        ref={focus}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className={styles.effect} tabIndex={0} role="region" aria-label="What this change would have decided">
        <SectionHead
          title="What this change would have decided"
          level={2}
          end={simulation?.fault === null && `tried on ${count(simulation.checked, "recorded request")}`}
        />
        {error !== null && <ErrorNote error={error} />}
        {simulation !== undefined && <Simulation simulation={simulation} />}
      </div>
      {save.error !== null && <ErrorNote error={save.error} />}
      <div className={styles.foot}>
        <Button
          disabled={!known || save.isPending || text === policy.user_policy}
          onClick={() => save.mutate({ policy: text, expected_digest: opened }, { onSuccess: onClose })}
        >
          Save and put into effect
        </Button>
        <Button look="quiet" onClick={onClose}>
          Close without saving
        </Button>
      </div>
    </div>
  );
}

function Simulation({ simulation }: { simulation: SimulationView }) {
  const now = useNow();
  if (simulation.fault !== null) {
    return (
      <p className={styles.fault} role="status">
        <Mark name="fail" size={12} />
        <Prose text={sentence(simulation.fault)} />
      </p>
    );
  }
  return (
    <>
      {simulation.warnings.map((text) => (
        <p key={text} className={styles.fault}>
          <Mark name="info" size={12} />
          <Prose text={sentence(text)} />
        </p>
      ))}
      {simulation.changed_count === 0 ? (
        <p className={styles.none} role="status">
          The same as now, for every request on record.
        </p>
      ) : (
        <table className={styles.table}>
          <caption className="heard">Requests that would be decided otherwise</caption>
          <thead>
            <tr>
              <th>When</th>
              <th>What</th>
              <th>Now</th>
              <th>Then</th>
            </tr>
          </thead>
          <tbody>
            {simulation.changed.map(({ seq, at, who, what, before, after, after_rule }) => (
              <tr key={seq}>
                <td className="muted">{moment(at, now)}</td>
                <td className={styles.what}>
                  {who}: {what}
                </td>
                <td>
                  <Decision effect={before} />
                </td>
                <td title={after_rule}>
                  <Decision effect={after} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {simulation.changed_count > simulation.changed.length && (
        <p className={styles.none}>and {simulation.changed_count - simulation.changed.length} more</p>
      )}
    </>
  );
}

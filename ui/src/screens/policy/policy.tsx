/** What may happen and what did: the rules in effect on the left, what waits and what left this machine on the right. */
import { useState } from "react";
import { useCommand } from "../../api/client";
import { useCommands } from "../../commands/active";
import { CommandButton } from "../../components/button";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { sentence } from "../../format";
import { Editor } from "./editor";
import { Egress } from "./egress";
import styles from "./policy.module.css";
import { Rules } from "./rules";
import { TryBox } from "./try-box";
import { Waiting } from "./waiting";

export function Policy() {
  const { data: policy, error, refetch } = useCommand("get_policy", {});
  const [editing, setEditing] = useState(false);
  const edit = {
    run: () => setEditing(true),
    disabled: policy === undefined ? "The rules are not read yet" : undefined,
  };
  useCommands({
    "policy.edit": edit,
    ...(policy === undefined ? { "policy.try": { run: () => {}, disabled: edit.disabled } } : {}),
  });
  return (
    <div className={`${columns.columns} ${styles.columns}`}>
      <section className={columns.column} aria-labelledby="rules">
        <div className={columns.bar}>
          <h1 id="rules" className="grow">
            Rules in effect
          </h1>
          <span className="small faint wide">strictest match wins; no match is deny</span>
          {!editing && (
            <CommandButton command="policy.edit" action={edit}>
              Edit yours
            </CommandButton>
          )}
        </div>
        {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
        {policy?.banner != null && (
          <div className={styles.banner} role="alert">
            <Mark name="deny" />
            <p>
              <Prose text={sentence(policy.banner)} />
            </p>
          </div>
        )}
        {policy !== undefined &&
          (editing ? (
            <Editor policy={policy} onClose={() => setEditing(false)} />
          ) : (
            <>
              <Rules policy={policy} />
              <TryBox />
            </>
          ))}
      </section>
      <section className={columns.column} aria-labelledby="egress">
        <Egress waiting={<Waiting />} />
      </section>
    </div>
  );
}

/** One switch over all models that leave this machine: none of them is given code, or those that were are again. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { refresh, useBackend } from "../../api/client";
import { toApiError } from "../../backend/backend";
import type { ModelRow } from "../../backend/generated";
import { tags } from "../../backend/generated";
import { type Action, useActiveCommands } from "../../commands/active";
import { KeysOf } from "../../components/kbd";
import { Mark } from "../../components/mark";
import { count } from "../../format";
import { useNotices } from "../frame/notice";
import { turned } from "./actions";
import styles from "./local-only.module.css";
import { leaves } from "./standing";

/** Who had leave before the switch was turned, so that turning it back gives leave to nobody else. */
const BEFORE = "conclave.leave-before-local-only";

export type LocalSwitch = { on: boolean; action: Action };

/** Whether `models` give code to none that leaves; follows from what is set, so it can never say something else. */
export function isLocalOnly(models: readonly ModelRow[]): boolean {
  return !models.some((row) => leaves(row) && row.may_send_code);
}

export function useLocalOnly(models: readonly ModelRow[]): LocalSwitch {
  const backend = useBackend();
  const client = useQueryClient();
  const { say, sayError } = useNotices();
  const [busy, setBusy] = useState(false);
  const on = isLocalOnly(models);
  const before = remembered().filter((name) => models.some((row) => row.name === name && leaves(row)));

  const set = async (names: readonly string[], may_send_code: boolean): Promise<boolean> => {
    setBusy(true);
    try {
      for (const row of models.filter(({ name }) => names.includes(name))) {
        await backend.call("save_model", { model: turned(row.setting, { may_send_code }), replaces: row.name });
      }
      return true;
    } catch (error) {
      sayError(
        may_send_code ? "Not every model has its leave again" : "A model may still have code",
        toApiError(error),
      );
      return false;
    } finally {
      await refresh(client, tags.save_model);
      setBusy(false);
    }
  };

  const turnOn = async () => {
    const names = models.filter((row) => leaves(row) && row.may_send_code).map(({ name }) => name);
    localStorage.setItem(BEFORE, JSON.stringify(names));
    if (!(await set(names, false))) return;
    say({
      tone: "pass",
      title: "Local only: no code leaves this machine",
      lines: [`${count(names.length, "model")} may have none: ${names.join(", ")}.`],
      action: { label: "Undo", run: () => void set(names, true) },
    });
  };

  const turnOff = async () => {
    if (!(await set(before, true))) return;
    say({
      tone: "pass",
      title: `${before.join(", ")} may have code again`,
      action: { label: "Undo", run: () => void set(before, false) },
    });
  };

  const disabled = busy
    ? "It is being changed"
    : on && before.length === 0
      ? "No model that leaves this machine had leave for code; give it to one on its page"
      : undefined;
  return { on, action: { run: () => void (on ? turnOff() : turnOn()), disabled } };
}

function remembered(): string[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(BEFORE) ?? "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

export function LocalOnly({ local: { on, action } }: { local: LocalSwitch }) {
  const active = useActiveCommands();
  return (
    <button
      type="button"
      role="switch"
      className={styles.switch}
      aria-checked={on}
      aria-disabled={action.disabled !== undefined}
      title={action.disabled ?? (on ? "Give code again to those that had leave" : "Give code to none that leaves")}
      onClick={() => active.attempt(action)}
    >
      <i aria-hidden="true" />
      <Mark name={on ? "lock" : "leave"} size={12} />
      Local only
      <KeysOf command="providers.local" />
    </button>
  );
}

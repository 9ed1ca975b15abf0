/** Buttons: the plain one, and the one that stands for a command and carries its key. */
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { type Action, useActiveCommands } from "../commands/active";
import { ariaKeys, isMac } from "../commands/keys";
import { type CommandId, infoOf } from "../commands/registry";
import styles from "./button.module.css";
import { KeysOf } from "./kbd";

export type Look = "plain" | "quiet" | "primary";

export function Button({
  look = "plain",
  className = "",
  ...rest
}: { look?: Look } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" className={`${styles.button} ${styles[look]} ${className}`} {...rest} />;
}

/** A square button with a mark only; its name is heard and shown on hover. */
export function IconButton({
  label,
  children,
  ...rest
}: { label: string; children: ReactNode } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button
      type="button"
      className={`${styles.button} ${styles.quiet} ${styles.icon}`}
      aria-label={label}
      title={label}
      {...rest}
    >
      {children}
    </button>
  );
}

/** Runs a command of the registry. Where it cannot be run it stays in place and says why. */
export function CommandButton({
  command,
  action,
  look = "plain",
  className = "",
  children,
}: {
  command: CommandId;
  action: Action | undefined;
  look?: Look;
  className?: string | undefined;
  children: ReactNode;
}) {
  const active = useActiveCommands();
  if (action === undefined) return null;
  const chord = infoOf(command).keys[0];
  return (
    <button
      type="button"
      className={`${styles.button} ${styles[look]} ${className}`}
      aria-keyshortcuts={chord === undefined ? undefined : ariaKeys(chord, isMac())}
      aria-disabled={action.disabled !== undefined}
      title={action.disabled}
      onClick={() => active.attempt(action)}
    >
      {children}
      <KeysOf command={command} />
    </button>
  );
}

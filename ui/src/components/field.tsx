/** A labelled field of a form: what it is for below it, and what is wrong with it in the same place. */
import { type InputHTMLAttributes, type ReactNode, type Ref, type TextareaHTMLAttributes, useId } from "react";
import { sentence } from "../format";
import styles from "./field.module.css";
import { Mark } from "./mark";
import { Prose } from "./prose";

type Around = {
  label: string;
  /** What it is for, or what happens when it stays empty. */
  note?: ReactNode;
  /** What is wrong with it. */
  fault?: string | null | undefined;
};

export function Field({
  label,
  note,
  fault = null,
  code = false,
  ...rest
}: Around & { code?: boolean; ref?: Ref<HTMLInputElement> } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Labelled id={id} label={label} note={note} fault={fault}>
      <input
        id={id}
        type="text"
        className={code ? styles.code : undefined}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={fault !== null}
        aria-describedby={`${id}-note`}
        {...rest}
      />
    </Labelled>
  );
}

/** The same for text of several lines. */
export function Lines({ label, note, fault = null, ...rest }: Around & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <Labelled id={id} label={label} note={note} fault={fault}>
      <textarea id={id} rows={3} aria-invalid={fault !== null} aria-describedby={`${id}-note`} {...rest} />
    </Labelled>
  );
}

export function Choice<T extends string>({
  label,
  note,
  fault = null,
  value,
  options,
  onChoose,
}: Around & { value: T; options: readonly (readonly [T, string])[]; onChoose: (value: T) => void }) {
  const id = useId();
  return (
    <Labelled id={id} label={label} note={note} fault={fault}>
      <select
        id={id}
        value={value}
        aria-describedby={`${id}-note`}
        onChange={(event) => {
          const chosen = options.find(([key]) => key === event.target.value);
          if (chosen !== undefined) onChoose(chosen[0]);
        }}
      >
        {options.map(([key, words]) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

export function Check({
  label,
  note,
  checked,
  onChange,
}: {
  label: string;
  note?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className={styles.check}>
      <input
        id={id}
        type="checkbox"
        checked={checked}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id}>{label}</label>
      {note !== undefined && (
        <p id={`${id}-note`} className={styles.note}>
          {note}
        </p>
      )}
    </div>
  );
}

function Labelled({ id, label, note, fault, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children}
      <div id={`${id}-note`} className={styles.note}>
        {fault != null ? (
          <p className={styles.fault} role="alert">
            <Mark name="fail" size={12} />
            <span>
              <Prose text={sentence(fault)} />
            </span>
          </p>
        ) : (
          note
        )}
      </div>
    </div>
  );
}

/** Headers that go with each request, a line each. */
import { useId, useState } from "react";
import { Button, IconButton } from "../../components/button";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { focusFirst } from "../../focus";
import { sentence } from "../../format";
import styles from "./form.module.css";

type Line = { id: number; name: string; value: string };

export function HeaderFields({
  headers,
  fault,
  onChange,
}: {
  headers: Record<string, string>;
  fault: string | null;
  onChange: (headers: Record<string, string>) => void;
}) {
  const id = useId();
  const [lines, setLines] = useState<Line[]>(() =>
    Object.entries(headers).map(([name, value], at) => ({ id: at, name, value })),
  );
  const put = (next: Line[]) => {
    setLines(next);
    const named = next.map(({ name, value }) => [name.trim(), value.trim()] as const).filter(([name]) => name !== "");
    onChange(Object.fromEntries(named));
  };
  const change = (at: number, to: Partial<Line>) =>
    put(lines.map((line, index) => (index === at ? { ...line, ...to } : line)));
  // Only a line that was just asked for takes the focus.
  const [fresh, setFresh] = useState<number | null>(null);
  return (
    <div className={styles.group} role="group" aria-labelledby={id} aria-describedby={`${id}-note`}>
      <span id={id}>Headers</span>
      <span className={styles.lines}>
        {lines.map((line, at) => (
          <span key={line.id} className={styles.header} ref={line.id === fresh ? focusFirst : undefined}>
            <input
              type="text"
              autoComplete="off"
              spellCheck={false}
              aria-label={`Name of header ${at + 1}`}
              placeholder="x-title"
              value={line.name}
              onChange={(event) => change(at, { name: event.target.value })}
            />
            <input
              type="text"
              autoComplete="off"
              spellCheck={false}
              aria-label={`Value of header ${at + 1}`}
              placeholder="value"
              value={line.value}
              onChange={(event) => change(at, { value: event.target.value })}
            />
            <IconButton
              label={`Remove header ${line.name === "" ? at + 1 : line.name}`}
              onClick={() => put(lines.filter((_, index) => index !== at))}
            >
              <Mark name="close" size={12} />
            </IconButton>
          </span>
        ))}
        <Button
          onClick={() => {
            const next = Math.max(-1, ...lines.map((line) => line.id)) + 1;
            setFresh(next);
            setLines([...lines, { id: next, name: "", value: "" }]);
          }}
        >
          Add a header
        </Button>
      </span>
      <div id={`${id}-note`} className={styles.note}>
        {fault === null ? (
          "They go with each request. A key belongs into the keychain, never here."
        ) : (
          <p className={styles.fault} role="alert">
            <Mark name="fail" size={12} />
            <span>
              <Prose text={sentence(fault)} />
            </span>
          </p>
        )}
      </div>
    </div>
  );
}

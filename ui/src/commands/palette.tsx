/** The palette: everything that can be done here, found by a few letters. */
import { type KeyboardEvent, useId, useMemo, useRef, useState } from "react";
import { Dialog } from "../components/dialog";
import { Keys } from "../components/kbd";
import { Mark } from "../components/mark";
import { useActiveCommands } from "./active";
import { type PaletteEntry, search } from "./palette-search";
import styles from "./palette.module.css";
import { infoOf } from "./registry";

export function Palette({ more, onClose }: { more: readonly PaletteEntry[]; onClose: () => void }) {
  const active = useActiveCommands();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();

  const entries = useMemo((): PaletteEntry[] => {
    const commands = active.all().flatMap(({ id: command, action }): PaletteEntry[] => {
      const { title, keys, palette } = infoOf(command);
      if (palette === false) return [];
      return [{ title, chord: keys[0], disabled: action.disabled, run: () => active.run(command) }];
    });
    return [...commands, ...more];
  }, [active, more]);
  const found = search(entries, query);
  const chosen = Math.min(at, found.length - 1);

  const choose = (entry: PaletteEntry | undefined) => {
    if (entry === undefined) return;
    onClose();
    // After the dialog has given the focus back, so that the command may move it.
    queueMicrotask(() => requestAnimationFrame(() => entry.run()));
  };

  const move = (to: number) => {
    const next = (to + found.length) % Math.max(1, found.length);
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      move(step);
    } else if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      choose(found[chosen]);
    }
  };

  return (
    <Dialog label="Go to, or do" onClose={onClose}>
      <div className={styles.field}>
        <Mark name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="Go to, or do"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
          aria-autocomplete="list"
          placeholder="Go to, or do"
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <ul ref={list} id={id} className={styles.list} role="listbox" aria-label="Commands">
        {found.map((entry, index) => (
          // The combobox above has the keyboard; the pointer may choose as well.
          <li
            key={entry.title}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            aria-disabled={entry.disabled !== undefined}
            className={styles.entry}
            onClick={() => choose(entry)}
          >
            <span className="cut">{entry.title}</span>
            {entry.disabled !== undefined && <span className={`${styles.reason} cut`}>{entry.disabled}</span>}
            {entry.chord !== undefined && <Keys chord={entry.chord} />}
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <p className={styles.none} role="status">
          Nothing here is called that.
        </p>
      )}
    </Dialog>
  );
}

/** The filter of the list: typed words and `key:value` chips, what is shown, and in which order. */
import { type KeyboardEvent, type RefObject, useState } from "react";
import { KeysOf } from "../../components/kbd";
import { Mark } from "../../components/mark";
import { Menu } from "../../components/menu";
import type { Sort } from "../../backend/generated";
import { type ListPlace, SORTS, VIEWS } from "../../routes";
import { type Chip, joinQuery, splitQuery, takeFinished } from "./filter";
import styles from "./filter-bar.module.css";
import { VIEW_NAMES } from "./views";

const SORT_NAMES: Record<Sort, string> = { risk: "risk", path: "path", newest: "newest first" };

/** What the field shows for a query. A token that is still being typed is text, not yet a chip. */
type Field = { query: string; chips: readonly Chip[]; typed: string };

function fieldOf(query: string): Field {
  const { chips, words } = splitQuery(query);
  return { query, chips, typed: words };
}

export function FilterBar({
  list,
  canGroup,
  input,
  onChange,
  onLeave,
}: {
  list: ListPlace;
  canGroup: boolean;
  input: RefObject<HTMLInputElement | null>;
  onChange: (change: Partial<ListPlace>) => void;
  onLeave: () => void;
}) {
  const [field, setField] = useState(() => fieldOf(list.query));
  // The query changed elsewhere: by the way back, or by clearing it.
  if (field.query !== list.query) setField(fieldOf(list.query));
  const { chips, typed } = field;

  const put = (next: readonly Chip[], rest: string) => {
    const query = joinQuery(next, rest);
    setField({ query, chips: next, typed: rest });
    onChange({ query });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Backspace" && typed === "" && chips.length > 0) {
      put(chips.slice(0, -1), "");
    } else if (event.key === "Enter") {
      const { finished, rest } = takeFinished(`${typed} `);
      put([...chips, ...finished], rest);
      onLeave();
    } else if (event.key === "Escape" || event.key === "ArrowDown") {
      event.preventDefault();
      onLeave();
    }
  };

  return (
    <div className={styles.bar} role="search" aria-label="Findings">
      <div className={styles.field}>
        <Mark name="search" size={12} />
        {chips.map((chip) => (
          <button
            key={`${chip.key}:${chip.value}`}
            type="button"
            className={styles.chip}
            aria-label={`Remove the filter ${chip.key}:${chip.value}`}
            onClick={() =>
              put(
                chips.filter((other) => other !== chip),
                typed,
              )
            }
          >
            <span>{chip.key}:</span>
            {chip.value}
            <Mark name="close" size={10} />
          </button>
        ))}
        <input
          ref={input}
          type="text"
          aria-label="Filter findings"
          placeholder={chips.length === 0 ? "Words, severity:high, rule:, path:, tool:" : ""}
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            const { finished, rest } = takeFinished(event.target.value);
            put([...chips, ...finished], rest);
          }}
          onKeyDown={onKeyDown}
        />
        <KeysOf command="inbox.filter" />
      </div>
      <Menu
        label={`View: ${VIEW_NAMES[list.view]}`}
        className={styles.narrow}
        items={VIEWS.map((view) => ({
          label: VIEW_NAMES[view],
          checked: view === list.view,
          run: () => onChange({ view }),
        }))}
      >
        {VIEW_NAMES[list.view]}
      </Menu>
      <Menu
        label={`Group: ${list.group && canGroup ? "rule" : "none"}`}
        items={[
          {
            label: "Rule",
            detail: canGroup ? undefined : "too many findings: filter first",
            checked: list.group,
            run: () => onChange({ group: true }),
          },
          { label: "None", checked: !list.group, run: () => onChange({ group: false }) },
        ]}
      >
        Group: {list.group && canGroup ? "rule" : "none"}
      </Menu>
      <Menu
        label={`Sort: ${SORT_NAMES[list.sort]}`}
        items={SORTS.map((sort) => ({
          label: SORT_NAMES[sort].charAt(0).toUpperCase() + SORT_NAMES[sort].slice(1),
          checked: sort === list.sort,
          run: () => onChange({ sort }),
        }))}
      >
        Sort: {SORT_NAMES[list.sort]}
      </Menu>
    </div>
  );
}

/** The models in the order in which they are asked: how each stands, where it runs, how long it takes, what it cost this month. */
import { useEffect, useRef } from "react";
import type { ModelKind, ModelRow } from "../../backend/generated";
import { Mark } from "../../components/mark";
import { duration } from "../../format";
import { money } from "../../money";
import { useSeconds } from "../../now";
import styles from "./list.module.css";
import { GROUPS, grouped, leaves, restWords, standingOf, whereWords } from "./standing";
import { StandingWord } from "./standing-word";

/** More rows than this are not drawn; nobody has them, and a settings file may say anything. */
const MOST = 200;

const KINDS: Record<ModelKind, string> = {
  api: "API",
  cli: "Program",
  mcp_sampling: "MCP client",
  local: "Model file",
};

export function kindWord(kind: ModelKind): string {
  return KINDS[kind];
}

export function List({
  models,
  current,
  onOpen,
}: {
  models: readonly ModelRow[];
  current: string | undefined;
  onOpen: (name: string) => void;
}) {
  return (
    <>
      <div className={styles.head} aria-hidden="true">
        <span>Order</span>
        <span>State</span>
        <span>Name, and model</span>
        <span className={styles.where}>Where</span>
        <span className={styles.num}>Time</span>
        <span className={styles.num}>This month</span>
      </div>
      {grouped(models.slice(0, MOST)).map(([group, rows]) => (
        <section key={group} aria-label={GROUPS[group]}>
          <h2 className={styles.group}>{GROUPS[group]}</h2>
          <ul>
            {rows.map((row) => (
              <Row key={row.name} row={row} current={row.name === current} onOpen={() => onOpen(row.name)} />
            ))}
          </ul>
        </section>
      ))}
      {models.length > MOST && <p className={styles.more}>and {models.length - MOST} more</p>}
    </>
  );
}

function Row({ row, current, onOpen }: { row: ModelRow; current: boolean; onOpen: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!current || button.current === null) return;
    button.current.scrollIntoView({ block: "nearest" });
    // The keys that move the cursor take the focus along, so that Enter and Tab go on from there.
    if (button.current.closest("[role=region]")?.contains(document.activeElement)) button.current.focus();
  }, [current]);
  const now = useSeconds(row.health?.rests_until ?? 0);
  const rests = row.enabled ? restWords(row.health, now) : null;
  const kept = leaves(row) && !row.may_send_code;
  return (
    <li>
      <button
        ref={button}
        type="button"
        className={styles.row}
        aria-current={current ? "true" : undefined}
        data-kept={kept}
        onClick={onOpen}
      >
        <span className={styles.order}>{row.position ?? "\u2013"}</span>
        <span className={styles.state}>
          <StandingWord standing={standingOf(row)} />
          {rests !== null && <span className={styles.model}>{rests}</span>}
        </span>
        <span className={styles.what}>
          <span className="cut">{row.name}</span>
          <span className={`${styles.model} cut`}>
            <span className={styles.short}>{whereWords(row)}; </span>
            {KINDS[row.kind]}
            {row.model !== "" && (
              <>
                , <code>{row.model}</code>
              </>
            )}
          </span>
        </span>
        <span className={styles.where}>
          <span className={styles.place}>
            <Mark name={leaves(row) ? "leave" : "machine"} size={12} />
            {whereWords(row)}
          </span>
          {kept && <span className={styles.model}>gets no code</span>}
        </span>
        <span className={styles.num}>{row.health?.latest_ms == null ? "\u2013" : duration(row.health.latest_ms)}</span>
        <span className={styles.num}>{money(row.spent_this_month)}</span>
      </button>
    </li>
  );
}

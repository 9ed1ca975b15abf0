/** What became of fixes: what people took, how sure Conclave was and how right, what it cost, and what was learned. */
import { useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { ApprovalView, InsightsView, LearnedPatternView, LearnedView } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { HeadBar } from "../../components/head-bar";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { count, duration, sentence } from "../../format";
import { money } from "../../money";
import { type Place, compareAt, go } from "../../routes";
import { useNotices } from "../frame/notice";
import columns from "../../components/columns.module.css";
import styles from "./insights.module.css";
import { Reliability } from "./reliability";

/** More rows of a table than this are not drawn. */
const MOST = 12;

export function Insights({ place }: { place: Place }) {
  const [client, setClient] = useState("");
  const insights = useCommand("get_insights", { client: client === "" ? null : client });
  const { error, refetch } = insights;
  // One client's figures never stand under another's name.
  const view = insights.isPlaceholderData ? undefined : insights.data;
  return (
    <>
      <HeadBar title="Insights">
        {insights.data !== undefined && insights.data.clients.length > 0 && (
          <select aria-label="Client" value={client} onChange={(event) => setClient(event.target.value)}>
            <option value="">No client</option>
            {insights.data.clients.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <Button onClick={() => go(compareAt(place, client))}>Compare…</Button>
        {view !== undefined && view.fixes > 0 && <Reset key={client} client={client} />}
      </HeadBar>
      {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {view !== undefined && <Columns view={view} client={client} />}
    </>
  );
}

function Columns({ view, client }: { view: InsightsView; client: string }) {
  const patterns = useCommand("list_patterns", { client });
  const known = patterns.data?.items;
  return (
    <div className={`${columns.columns} ${styles.columns}`}>
      <section className={columns.scroll} aria-labelledby="taken" tabIndex={0}>
        <SectionHead title="What you took" id="taken" level={2} line={false} end={count(view.fixes, "fix", "fixes")} />
        {view.refused !== null && <p className={styles.text}>Nothing new is learned: {view.refused}.</p>}
        {view.fault !== null && <p className={styles.text}>{sentence(view.fault)}</p>}
        {view.fixes === 0 ? (
          <p className={styles.text}>
            Nothing yet. Apply a fix, undo one or rate one, and what became of it stands here and moves the next
            reading.
          </p>
        ) : (
          <>
            <Approvals caption="By rule" rows={[{ ...view.approval, name: "All" }, ...view.rules]} />
            <Approvals caption="By who wrote the fix" rows={view.authors} />
          </>
        )}
        <SectionHead
          title="How sure, and how right"
          end={view.calibration === null ? "no outcomes yet" : `${view.calibration.n} outcomes`}
        />
        <Reliability bins={view.reliability} calibration={view.calibration} />
      </section>
      <section className={columns.scroll} aria-labelledby="learned" tabIndex={0}>
        <SectionHead
          title="What was learned"
          id="learned"
          level={2}
          line={false}
          end={`${view.labelled} known right or wrong`}
        />
        <Learned rows={view.learned} />
        <p className={styles.text}>{count(view.edge_cases, "edge case")} kept for findings that are alike.</p>
        <SectionHead title="Learned patterns" end={known !== undefined && count(known.length, "pattern")} />
        {patterns.error !== null && <ErrorNote error={patterns.error} onRetry={() => void patterns.refetch()} />}
        {known !== undefined && <Patterns items={known} client={client} />}
        <SectionHead title="What it cost" />
        <Cost view={view} />
      </section>
    </div>
  );
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function Approvals({ caption, rows }: { caption: string; rows: ApprovalView[] }) {
  if (rows.length === 0) return null;
  return (
    <table className={styles.table}>
      <caption>{caption}</caption>
      <thead className="heard">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Taken and kept</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, MOST).map(({ name, accepted, rejected, share }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {accepted} of {accepted + rejected}
            </td>
            <td className="faint">
              {share === null ? "–" : `${percent(share.p)} (${percent(share.low)} to ${percent(share.high)})`}
            </td>
          </tr>
        ))}
      </tbody>
      <More than={rows.length} />
    </table>
  );
}

/** How many rows are not drawn. */
function More({ than }: { than: number }) {
  if (than <= MOST) return null;
  return (
    <tfoot>
      <tr>
        <td colSpan={3} className="faint">
          and {than - MOST} more; <code>conclave insights --format json</code> has all
        </td>
      </tr>
    </tfoot>
  );
}

function Learned({ rows }: { rows: LearnedView[] }) {
  if (rows.length === 0) {
    return <p className={styles.text}>Every reading still begins at its start value.</p>;
  }
  return (
    <table className={styles.table}>
      <caption className="heard">Where readings begin now</caption>
      <tbody>
        {rows.slice(0, MOST).map(({ author, label, n, right, said, mean, start }) => (
          <tr key={author + label}>
            <th scope="row">
              {author} <span className="faint">{label}</span>
            </th>
            <td>
              {start.toFixed(2)} → <b>{mean.toFixed(2)}</b>
            </td>
            <td className="faint">
              {right} of {n} right, said {said.toFixed(2)}
            </td>
          </tr>
        ))}
      </tbody>
      <More than={rows.length} />
    </table>
  );
}

function Patterns({ items, client }: { items: LearnedPatternView[]; client: string }) {
  const drop = useChange("drop_pattern");
  const { say, sayError } = useNotices();
  if (items.length === 0) {
    return <p className={styles.text}>A fix of a model or a scanner that you apply is proposed for its like.</p>;
  }
  return (
    <ul className={styles.patterns}>
      {items.map(({ id, kind, language, before, after, from }) => (
        <li key={id}>
          <p>
            <b>{kind}</b>{" "}
            <span className="faint">
              {language}, from {count(from.length, "fix", "fixes")}
            </span>
          </p>
          <code data-side="before">{before}</code>
          <code data-side="after">{after}</code>
          <Button
            look="quiet"
            aria-label={`Drop the pattern ${before}`}
            onClick={() =>
              drop.mutate(
                { client, id },
                {
                  onSuccess: () => say({ tone: "plain", title: "The pattern is proposed no more" }),
                  onError: (error) => sayError("The pattern could not be dropped", error),
                },
              )
            }
          >
            Drop
          </Button>
        </li>
      ))}
    </ul>
  );
}

function Cost({ view: { client, cost, time_to_fix } }: { view: InsightsView }) {
  return (
    <>
      <p className={styles.text}>
        <b>{money(cost.spent)}</b> to models for{" "}
        {client === null ? "projects that are nobody’s" : "this client’s projects"}
        {cost.per_fix !== null && <>, {money(cost.per_fix)} for each fix that you took</>}. By hand the same fixes would
        have cost <b>{money(cost.by_hand)}</b>, at {money(cost.manual.critical)}, {money(cost.manual.high)} and{" "}
        {money(cost.manual.medium)} for a critical, a high and a medium one.
      </p>
      {time_to_fix !== null && (
        <p className={styles.text}>
          From report to fix: {duration(time_to_fix.median_ms)} in the middle, over {count(time_to_fix.n, "finding")}.
        </p>
      )}
    </>
  );
}

function Reset({ client }: { client: string }) {
  const [sure, setSure] = useState(false);
  const reset = useChange("reset_learning");
  const { say, sayError } = useNotices();
  if (!sure) return <Button onClick={() => setSure(true)}>Forget what was learned…</Button>;
  return (
    <>
      <span className="small">
        <Prose text="Fixes stay applied, and the ledger stays as it is." />
      </span>
      <Button onClick={() => setSure(false)}>Keep it</Button>
      <Button
        look="primary"
        onClick={() =>
          reset.mutate(client === "" ? { of: "nobody" } : { of: "client", name: client }, {
            onSuccess: ({ rows }) => {
              setSure(false);
              say({ tone: "plain", title: `Forgotten: ${count(rows, "row")}` });
            },
            onError: (error) => sayError("Nothing was forgotten", error),
          })
        }
      >
        Forget it
      </Button>
    </>
  );
}

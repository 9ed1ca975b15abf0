/** What was spent, what is set aside, what may be spent, and what the same findings would have cost by hand. */
import { useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { BudgetView, ManualCostView, SpendOf, SpendSum, SpendingView, TierLimit } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { SectionHead } from "../../components/section";
import { count } from "../../format";
import { money, parseMoney, typed, used } from "../../money";
import { useNotices } from "../frame/notice";
import styles from "./pane.module.css";

/** More models and projects than this are not drawn. */
const MOST = 20;

type Cap = Exclude<keyof BudgetView, "manual">;

const CAPS: Record<Cap, string> = {
  per_call: "One call",
  per_finding: "One finding",
  per_run: "One run",
  per_day: "One day",
  per_project: "One project",
};

const CAP_KEYS = Object.keys(CAPS) as Cap[];
const SEVERITIES = ["critical", "high", "medium"] as const satisfies readonly (keyof ManualCostView)[];

export function MoneyPane() {
  const { data: spending, error, refetch } = useCommand("get_spending", {});
  if (error !== null) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (spending === undefined) return null;
  // What is edited is what was read; another's change starts the fields anew.
  return <Money key={JSON.stringify(spending.budget)} spending={spending} />;
}

function Money({ spending }: { spending: SpendingView }) {
  const { budget, comparison } = spending;
  const [caps, setCaps] = useState<Record<Cap, string>>({
    per_call: typed(budget.per_call),
    per_finding: typed(budget.per_finding),
    per_run: typed(budget.per_run),
    per_day: typed(budget.per_day),
    per_project: typed(budget.per_project),
  });
  const [manual, setManual] = useState<Record<keyof ManualCostView, string>>({
    critical: typed(budget.manual.critical),
    high: typed(budget.manual.high),
    medium: typed(budget.manual.medium),
  });
  const save = useChange("save_budget");
  const { say } = useNotices();
  const wrong =
    CAP_KEYS.some((key) => parseMoney(caps[key]) === undefined) ||
    SEVERITIES.some((key) => parseMoney(manual[key]) == null);
  const next: BudgetView = {
    per_call: parseMoney(caps.per_call) ?? null,
    per_finding: parseMoney(caps.per_finding) ?? null,
    per_run: parseMoney(caps.per_run) ?? null,
    per_day: parseMoney(caps.per_day) ?? null,
    per_project: parseMoney(caps.per_project) ?? null,
    manual: {
      critical: parseMoney(manual.critical) ?? null,
      high: parseMoney(manual.high) ?? null,
      medium: parseMoney(manual.medium) ?? null,
    },
  };
  const same = JSON.stringify(next) === JSON.stringify(budget);
  return (
    <form
      className={styles.form}
      aria-label="Money"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(next, { onSuccess: () => say({ tone: "pass", title: "The limits hold from the next call on" }) });
      }}
    >
      <h2 className={styles.title}>Money</h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="What was spent, and what may be">
        <Sums spending={spending} />
        <SectionHead title="Limits" end="empty is no limit" />
        <table className={styles.table}>
          <caption className="heard">What may be spent</caption>
          <thead>
            <tr>
              <th>At most for</th>
              <th>Limit</th>
              <th className={styles.num}>Used</th>
            </tr>
          </thead>
          <tbody>
            {CAP_KEYS.map((key) => (
              <tr key={key}>
                <th scope="row">{CAPS[key]}</th>
                <td>
                  <Amount
                    label={`At most for ${CAPS[key].toLowerCase()}`}
                    value={caps[key]}
                    optional
                    onChange={(text) => setCaps({ ...caps, [key]: text })}
                  />
                </td>
                <td className={styles.num}>
                  {key === "per_day" && <Used sum={spending.today} cap={budget.per_day} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className={styles.text}>
          The most that a call can cost is set aside before it is made; at a limit it is not made. Under a limit a model
          whose price is not known is not asked.{tierWords(spending.tiers)}
        </p>
        <SectionHead title="By hand, in comparison" end="what is fixed now" />
        <table className={styles.table}>
          <caption className="heard">What fixing by hand would have cost</caption>
          <thead>
            <tr>
              <th>Severity</th>
              <th>For each</th>
              <th className={styles.num}>Fixed</th>
            </tr>
          </thead>
          <tbody>
            {SEVERITIES.map((severity) => (
              <tr key={severity}>
                <th scope="row">{severity.charAt(0).toUpperCase() + severity.slice(1)}</th>
                <td>
                  <Amount
                    label={`By hand, one ${severity} finding`}
                    value={manual[severity]}
                    onChange={(text) => setManual({ ...manual, [severity]: text })}
                  />
                </td>
                <td className={styles.num}>{comparison[severity]}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className={styles.text}>
          By hand they would have cost{" "}
          <b>{comparison.manual === null ? "more than can be counted" : money(comparison.manual)}</b>; models cost{" "}
          <b>{money(comparison.spent)}</b>, for everything that was ever asked.
        </p>
        <By title="By model" rows={spending.models} />
        <By title="By project" rows={spending.projects} cap={budget.per_project} />
        {save.error !== null && <ErrorNote error={save.error} />}
      </div>
      <Footer label="Actions">
        <Button type="submit" look="primary" disabled={same || wrong || save.isPending}>
          {save.isPending ? "Saving…" : "Save limits"}
        </Button>
        <FooterNote>
          {wrong ? "One of these is no amount in dollars, such as 5 or 0.25." : same ? "" : "Not saved yet."}
        </FooterNote>
      </Footer>
    </form>
  );
}

function Sums({ spending: { today, month, total } }: { spending: SpendingView }) {
  const columns: [string, SpendSum][] = [
    ["Today", today],
    ["This month", month],
    ["Ever", total],
  ];
  const line = (name: string, of: (sum: SpendSum) => string) => (
    <tr>
      <th scope="row">{name}</th>
      {columns.map(([column, sum]) => (
        <td key={column} className={styles.num}>
          {of(sum)}
        </td>
      ))}
    </tr>
  );
  return (
    <table className={styles.table}>
      <caption className="heard">What was spent</caption>
      <thead>
        <tr>
          <th>
            <span className="heard">What</span>
          </th>
          {columns.map(([column]) => (
            <th key={column} className={styles.num}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {line("Spent", (sum) => money(sum.spent))}
        {line("Set aside", (sum) => money(sum.reserved))}
        {line("Cost not known", (sum) => (sum.unknown === 0 ? "none" : count(sum.unknown, "call")))}
        {line("Calls", (sum) => sum.calls.toLocaleString("en"))}
        {line("Tokens read", (sum) => sum.input_tokens.toLocaleString("en"))}
        {line("Tokens written", (sum) => sum.output_tokens.toLocaleString("en"))}
      </tbody>
    </table>
  );
}

function Amount({
  label,
  value,
  optional = false,
  onChange,
}: {
  label: string;
  value: string;
  optional?: boolean;
  onChange: (text: string) => void;
}) {
  const amount = parseMoney(value);
  return (
    <span className={styles.amount}>
      <span aria-hidden="true">$</span>
      <input
        type="text"
        inputMode="decimal"
        autoComplete="off"
        aria-label={`${label}, in dollars`}
        aria-invalid={amount === undefined || (amount === null && !optional)}
        placeholder={optional ? "no limit" : ""}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </span>
  );
}

/** What one run may cost besides, as a sentence behind others. */
function tierWords(tiers: readonly TierLimit[]): string {
  const limits = tiers.flatMap(({ severity, most }) => (most === null ? [] : [`${severity} ${money(most)}`]));
  return limits.length === 0 ? "" : ` By how severe its finding is, one run costs at most: ${limits.join(", ")}.`;
}

/** What is used of a limit: figures, and a bar that says the same. */
export function Used({ sum, cap }: { sum: SpendSum; cap: number | null }) {
  const gone = (sum.spent ?? 0) + (sum.reserved ?? 0);
  const share = used(gone, cap);
  if (share === null) return money(sum.spent);
  return (
    <span className={styles.used}>
      {money(sum.spent)}
      {sum.open > 0 && ` and ${money(sum.reserved)} set aside`}
      <span className={styles.bar} aria-hidden="true">
        <i style={{ inlineSize: `${share * 100}%` }} />
      </span>
    </span>
  );
}

function By({ title, rows, cap = null }: { title: string; rows: readonly SpendOf[]; cap?: number | null }) {
  if (rows.length === 0) return null;
  return (
    <>
      <SectionHead title={title} end={cap === null ? "ever" : `at most ${money(cap)} each`} />
      <table className={styles.table}>
        <caption className="heard">{title}</caption>
        <thead>
          <tr>
            <th>Name</th>
            <th className={styles.num}>Calls</th>
            <th className={styles.num}>Spent</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST).map(({ id, name, sum }) => (
            <tr key={id}>
              <th scope="row">{name}</th>
              <td className={styles.num}>{sum.calls.toLocaleString("en")}</td>
              <td className={styles.num}>{money(sum.spent)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST && <p className={styles.text}>and {rows.length - MOST} more</p>}
    </>
  );
}

/** One model: how it stands, what it is, whether it may have code, its key, and what it cost. */
import { useCommand } from "../../api/client";
import type {
  ModelCounts,
  ModelHealth,
  ModelRow,
  PriceView,
  Severity,
  SpendOf,
  SpendSum,
} from "../../backend/generated";
import { Button } from "../../components/button";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { SeverityWord } from "../../components/words";
import { ago, count, duration, sentence } from "../../format";
import { money } from "../../money";
import { useNow, useSeconds } from "../../now";
import { useTurn } from "./actions";
import { Fact, Facts } from "./facts";
import { KeyOf } from "./keys";
import { kindWord } from "./list";
import styles from "./model.module.css";
import { breakerWords, groupOf, leaves, standingOf, timeWords, whereWords } from "./standing";
import { StandingWord } from "./standing-word";

export function Model({ row }: { row: ModelRow }) {
  const now = useNow();
  const { health } = row;
  const second = useSeconds(health?.rests_until ?? 0);
  const { data: metrics } = useCommand("get_metrics", {});
  const counts = metrics?.models.find(({ model }) => model === row.name);
  const warnings = [...new Set([...row.warnings, ...(health?.warnings ?? [])])];
  return (
    <>
      <div className={styles.title}>
        <h2>{row.name}</h2>
        <StandingWord standing={standingOf(row)} />
      </div>
      {health !== null && row.enabled && health.message !== "" && (
        <p className={styles.message}>
          <Prose text={sentence(health.message)} />
        </p>
      )}
      {warnings.map((text) => (
        <p key={text} className={styles.warning}>
          <Mark name="flaky" />
          <span>
            <Prose text={sentence(text)} />
          </span>
        </p>
      ))}
      <SectionHead title="How it stands" end={checkedWords(health, now)} />
      <Facts>
        <Fact name="Used">{useWords(row)}</Fact>
        <Fact name="Answer time">{timeWords(health) ?? averageWords(counts)}</Fact>
        <Fact name="Failed">{failureWords(health)}</Fact>
        {health !== null && <Fact name="After failures">{breakerWords(health, second)}</Fact>}
        {counts !== undefined && counts.calls > 0 && <Fact name="In 90 days">{countWords(counts)}</Fact>}
        {health?.trial != null && row.trial && <Fact name="Tried out">{trialWords(health.trial)}</Fact>}
        <Fact name="Asked about">
          <Tiers tiers={row.tiers} />
        </Fact>
      </Facts>
      <SectionHead title="What it is" end={kindWord(row.kind)} />
      <Facts>
        <Fact name="Model">{row.model === "" ? "the other end chooses" : <code>{row.model}</code>}</Fact>
        <Fact name="Where">
          <Prose text={row.kind === "mcp_sampling" ? row.place : `\`${row.place}\``} />
        </Fact>
        <Fact name="Context">
          {row.can.context_tokens === null ? "not known" : `${row.can.context_tokens.toLocaleString("en")} tokens`}
        </Fact>
        <Fact name="Held to a schema">{known(row.can.schema)}</Fact>
        <Fact name="Says how sure">{known(row.can.log_probabilities)}</Fact>
        <Fact name="Price">
          <Price price={row.price} />
        </Fact>
      </Facts>
      <Leave row={row} />
      {row.host !== null && row.kind !== "local" && (
        <>
          <SectionHead title="Key" end="for this host only" />
          <KeyOf host={row.host} />
        </>
      )}
      <Spent row={row} />
    </>
  );
}

function checkedWords(health: ModelHealth | null, now: number): string {
  return health === null ? "not tested since the start" : `tested ${ago(health.checked_at, now)}`;
}

function averageWords(counts: ModelCounts | undefined): string {
  return counts?.average_ms == null ? "not known yet" : `${duration(counts.average_ms)} on average`;
}

function countWords({ calls, success_percent, cache_hit_percent, fallback_percent }: ModelCounts): string {
  return [
    count(calls, "call"),
    `${success_percent ?? 0} % answered`,
    ...(cache_hit_percent === null || cache_hit_percent === 0 ? [] : [`${cache_hit_percent} % from the cache`]),
    ...(fallback_percent === null || fallback_percent === 0
      ? []
      : [`the next one was asked after ${fallback_percent} %`]),
  ].join(", ");
}

function useWords(row: ModelRow): string {
  switch (groupOf(row)) {
    case "asked":
      return row.position === 1 ? "asked first" : `asked in place ${row.position ?? "\u2013"}`;
    case "trial":
      return "only tried out: its answers are written down and never used";
    case "off":
      return "not at all";
  }
}

function failureWords(health: ModelHealth | null): string {
  if (health === null || health.error_percent === null) {
    return health === null || health.error_count === 0
      ? "nothing since the start"
      : `${count(health.error_count, "call")} since the start; too few calls for a rate`;
  }
  return `${health.error_percent} % of its last calls, ${health.error_count.toLocaleString("en")} since the start`;
}

function trialWords({ asked, answered, compared, agreed }: NonNullable<ModelHealth["trial"]>): string {
  if (asked === 0) return "not asked yet";
  return `${answered} of ${asked} answered; ${agreed} of ${compared} said the same as the one that was used`;
}

function known(can: boolean | null): string {
  return can === null ? "not known" : can ? "yes" : "no";
}

function Tiers({ tiers }: { tiers: readonly Severity[] }) {
  if (tiers.length === 0) return "no finding";
  return (
    <span className={styles.tiers}>
      {tiers.map((severity) => (
        <SeverityWord key={severity} severity={severity} />
      ))}
    </span>
  );
}

/** A price is dollars for a million tokens; without its day nobody could tell whether it still holds. */
function Price({ price }: { price: PriceView | null }) {
  if (price === null) {
    return "not known; under a limit it is not asked";
  }
  const { input, output, cached, dated } = price;
  if (input === 0 && output === 0) return "free";
  return (
    <>
      {money(input)} read, {money(output)} written
      {cached !== input && cached !== null && `, ${money(cached)} read from its cache`}
      <span className="muted"> a million tokens{dated === null ? ", as you set it" : `, on ${dated}`}</span>
    </>
  );
}

/** The leave for code, in plain words. */
function Leave({ row }: { row: ModelRow }) {
  const turn = useTurn();
  if (!leaves(row)) {
    return (
      <>
        <SectionHead title="Your code" end={whereWords(row)} />
        <p className={styles.text}>What it is asked stays on this machine, so it needs no leave.</p>
      </>
    );
  }
  const { may_send_code: may, name } = row;
  const where = row.host ?? row.place;
  return (
    <>
      <SectionHead title="Your code" end={whereWords(row)} />
      <div className={styles.leave}>
        <p>
          {may ? (
            <>
              <b>It may have code.</b> Excerpts around a finding go to <code>{where}</code> when a fix is looked for,
              with secrets taken out. You can read each before it goes, and what went stands in the ledger.
            </>
          ) : (
            <>
              <b>It gets no code.</b> Fixes need code, so this model is passed over until you let it have excerpts.
              {row.class_known ? "" : " Nobody vouches yet that it runs here; a test may find that out."}
            </>
          )}
        </p>
        <Button
          onClick={() =>
            turn(
              row,
              { may_send_code: !may },
              may ? `${name} gets no code from now on` : `${name} may have code from now on`,
              may ? [] : [`Excerpts may go to ${where}.`],
            )
          }
        >
          {may ? "Give no code" : "Let it have code"}
        </Button>
      </div>
    </>
  );
}

function sumWords(sum: SpendSum): string {
  const aside = sum.open > 0 ? `, ${money(sum.reserved)} set aside` : "";
  return `${money(sum.spent)} in ${count(sum.calls, "call")}${aside}`;
}

function Spent({ row }: { row: ModelRow }) {
  const { data: spending } = useCommand("get_spending", {});
  const of = (sums: readonly SpendOf[] | undefined) => sums?.find(({ id }) => id === row.name)?.sum;
  const [month, sum] = [of(spending?.models_this_month), of(spending?.models)];
  return (
    <>
      <SectionHead title="Spent on it" end="as far as it is known" />
      {sum === undefined ? (
        <p className={styles.text}>Nothing: it was not asked yet.</p>
      ) : (
        <Facts>
          <Fact name="This month">{month === undefined ? "nothing" : sumWords(month)}</Fact>
          <Fact name="Ever">{sumWords(sum)}</Fact>
          {sum.unknown > 0 && (
            <Fact name="Not known">{`the cost of ${count(sum.unknown, "call")}; it is in no sum`}</Fact>
          )}
          <Fact name="Tokens">
            {sum.input_tokens.toLocaleString("en")} read, {sum.output_tokens.toLocaleString("en")} written
          </Fact>
        </Facts>
      )}
    </>
  );
}

/** What came out of a comparison: what was preferred, and what each side reached, cost and took. */
import { useCommand } from "../../api/client";
import type { ArmView, ComparisonReport, FixComparisonView } from "../../backend/generated";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { SectionHead } from "../../components/section";
import { count, duration, moment } from "../../format";
import { money } from "../../money";
import { useNow } from "../../now";
import styles from "./compare.module.css";

export function Report({ comparison: { id, client } }: { comparison: FixComparisonView }) {
  const report = useCommand("get_comparison", { comparison: id, client });
  const view = report.data;
  return (
    <div className={columns.scroll} tabIndex={0} role="region" aria-label="What came out">
      {report.error !== null && <ErrorNote error={report.error} onRetry={() => void report.refetch()} />}
      {view !== undefined && <Figures view={view} />}
    </div>
  );
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function Figures({ view }: { view: ComparisonReport }) {
  const { a, b, preference } = view;
  const now = useNow();
  const [one, other] = [a.configuration.name, b.configuration.name];
  return (
    <>
      <SectionHead
        title="What you preferred"
        level={2}
        line={false}
        end={`${moment(view.at, now)}, settings ${view.settings.slice(0, 8)}`}
      />
      {preference === null ? (
        <p className={styles.text}>Neither of the two was ever preferred to the other.</p>
      ) : (
        <p className={styles.text}>
          <b className={styles.figure}>{percent(preference.p)}</b> for {one}, {percent(preference.low)} to{" "}
          {percent(preference.high)}, n = {preference.n}. <span className="faint">{view.interval}</span>
        </p>
      )}
      <p className={styles.text}>
        {one} {view.chose_a}, {other} {view.chose_b}, both alike {view.chose_both}, neither {view.chose_neither}. Of{" "}
        {count(view.findings, "finding")}, {view.same} had the same fix from both, {view.no_fix} a fix from none, and{" "}
        {view.failed} broke off.
      </p>
      <SectionHead
        title="Side by side"
        level={2}
        end={view.seed === null ? undefined : `sides drawn with ${view.seed}`}
      />
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">
              <span className="heard">What is compared</span>
            </th>
            {[a, b].map(({ configuration: { name, label, models } }) => (
              <th scope="col" key={name}>
                {name} <span className="faint">{[label, ...models].join(", ")}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Row
            name="Chosen by"
            arms={[a, b]}
            of={({ configuration }) => (configuration.by_votes ? "votes" : "evidence")}
          />
          <Row name="Fixes" arms={[a, b]} of={({ fixes, n }) => `${fixes} of ${n}`} />
          {a.rungs
            .filter(({ check }) => [a, b].some((arm) => ran(arm, check)))
            .map(({ check, label }) => (
              <Row key={check} name={label} arms={[a, b]} of={(arm) => rung(arm, check)} />
            ))}
          <Row name="Cost" arms={[a, b]} of={cost} />
          <Row name="Answers, in the middle" arms={[a, b]} of={(arm) => time(arm.analysis_ms, arm.n)} />
          <Row name="Checks, in the middle" arms={[a, b]} of={(arm) => time(arm.verification_ms, arm.n)} />
        </tbody>
      </table>
    </>
  );
}

function Row({ name, arms, of }: { name: string; arms: ArmView[]; of: (arm: ArmView) => string }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {arms.map((arm) => (
        <td key={arm.configuration.name}>{of(arm)}</td>
      ))}
    </tr>
  );
}

type Check = ArmView["rungs"][number]["check"];

function ran(arm: ArmView, check: Check): boolean {
  return arm.rungs.some((one) => one.check === check && one.passed + one.failed > 0);
}

function rung(arm: ArmView, check: Check): string {
  const found = arm.rungs.find((one) => one.check === check);
  if (found === undefined) return "not run";
  return `${found.passed} passed, ${found.failed} failed, ${found.not_run} not run`;
}

function cost({ calls, cost: spent, unknown }: ArmView): string {
  const words = `${money(spent)} for ${count(calls, "question")}`;
  return unknown === 0 ? words : `${words}, and ${unknown} of unknown cost`;
}

function time(ms: number | null, n: number): string {
  return ms === null ? "not known" : `${duration(ms)}, n = ${n}`;
}

/** This machine: what checks can run here, which seats stand empty, and whether the ledger is whole. */
import { useCommand } from "../../api/client";
import type { LedgerView } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { HeadBar } from "../../components/head-bar";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { Seats } from "../../components/seats";
import { SectionHead } from "../../components/section";
import { OutcomeMark } from "../../components/words";
import { count, sentence } from "../../format";
import { egressWords } from "../frame/strip";
import styles from "./machine.module.css";

export function Machine() {
  const doctor = useCommand("get_doctor", {});
  const ledger = useCommand("verify_ledger", {});
  const { data: status } = useCommand("get_status", {});
  const items = doctor.data?.items ?? [];
  const broken = items.filter(({ wrong }) => wrong).length;
  const missing = items.filter(({ ok, wrong }) => !ok && !wrong).length;
  const ends = [broken > 0 && `${broken} broken`, missing > 0 && `${missing} not available`].filter(Boolean);
  return (
    <>
      <HeadBar title="This machine">
        <Button
          onClick={() => {
            void doctor.refetch();
            void ledger.refetch();
          }}
        >
          Look again
        </Button>
      </HeadBar>
      <div className={styles.columns}>
        <section className={styles.column} aria-labelledby="tools" tabIndex={0}>
          <SectionHead
            title="What can run here"
            id="tools"
            level={2}
            line={false}
            end={doctor.data !== undefined && (ends.length === 0 ? "all there" : ends.join(", "))}
          />
          {doctor.error !== null && <ErrorNote error={doctor.error} onRetry={() => void doctor.refetch()} />}
          {doctor.data === undefined && doctor.error === null && <p className={styles.text}>Looking…</p>}
          <ul className={styles.tools}>
            {items.map(({ name, ok, wrong, found, hint }) => (
              <li key={name}>
                <OutcomeMark outcome={wrong ? "error" : ok ? "pass" : "not_available"} />
                <b>{name}</b>
                <div>
                  <p>
                    <Prose text={found} />
                  </p>
                  {hint !== null && (
                    <p className={styles.hint}>
                      <Prose text={hint} />
                    </p>
                  )}
                </div>
              </li>
            ))}
          </ul>
        </section>
        <section className={styles.column} aria-labelledby="ledger" tabIndex={0}>
          <SectionHead
            title="Ledger"
            id="ledger"
            level={2}
            line={false}
            end={ledger.data !== undefined && count(ledger.data.rows, "row")}
          />
          {ledger.error !== null && <ErrorNote error={ledger.error} onRetry={() => void ledger.refetch()} />}
          {ledger.data !== undefined && <Ledger ledger={ledger.data} />}
          {status !== undefined && (
            <>
              <p className={styles.text}>{egressWords(status)}. Every decision is written down before it happens.</p>
              {status.empty_seats.length > 0 && (
                <>
                  <SectionHead title="Empty seats" end="and what would fill them" />
                  <Seats seats={status.empty_seats} />
                </>
              )}
              <SectionHead title="Version" />
              <p className={styles.text}>Conclave {status.version}</p>
            </>
          )}
        </section>
      </div>
    </>
  );
}

function Ledger({ ledger: { intact, head, fault } }: { ledger: LedgerView }) {
  return (
    <div className={styles.ledger}>
      <p data-intact={intact}>
        <Mark name={intact ? "pass" : "fail"} />
        {intact ? "Whole: every row fits the one before" : "Broken: a row was edited, dropped or moved"}
      </p>
      {fault !== null && (
        <p className="small">
          <Prose text={sentence(fault)} />
        </p>
      )}
      <dl>
        <dt>Last digest</dt>
        <dd>
          <code className="path">{head}</code>
        </dd>
      </dl>
      <p className="small faint">Keep this digest elsewhere to notice a ledger that was cut off at its end.</p>
    </div>
  );
}

/** Plan: what many runs would take before anything is sent; it is narrowed here, started or left. */
import { useRef } from "react";
import { useChange, useCommand } from "../../api/client";
import type { PlanView } from "../../backend/generated";
import { type Actions, useCommands } from "../../commands/active";
import { CommandButton, IconButton } from "../../components/button";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { Mark } from "../../components/mark";
import { SectionHead } from "../../components/section";
import { count } from "../../format";
import { parseMoney } from "../../money";
import { type PlanPlace, findingAt, go, inboxAt, providersAt, runsAt } from "../../routes";
import { useSettled } from "../../settled";
import { useNotices } from "../frame/notice";
import { DeferredRows, PlannedRows } from "./list";
import { Limits } from "./limits";
import styles from "./plan.module.css";
import { PlannedSeats } from "./planned-seats";
import { Totals } from "./totals";
import { parseMost, planRequest } from "./words";

/** How long typing rests before the plan follows, in milliseconds. */
const REST_MS = 250;

const MAKING = "The plan is being made";

export function Plan({ place }: { place: PlanPlace }) {
  const budget = useRef<HTMLInputElement>(null);
  const most = useRef<HTMLInputElement>(null);
  const request = planRequest(place);
  const settled = useSettled(JSON.stringify(request), REST_MS);
  const { data, error, refetch, isPlaceholderData } = useCommand("plan_runs", JSON.parse(settled));
  const run = useChange("run_fix");
  const { say, sayError } = useNotices();

  const chosen = data?.chosen ?? [];
  const position = Math.max(
    0,
    chosen.findIndex(({ finding }) => finding.id === place.at),
  );
  const at = chosen[position];
  const change = (to: Partial<PlanPlace>) => go({ ...place, ...to }, "replace");
  const none = data === undefined && error === null ? MAKING : "No finding would be run";
  const move = (by: number) => ({
    run: () => {
      const to = chosen[Math.min(chosen.length - 1, Math.max(0, position + by))];
      if (to === undefined) return;
      document.getElementById(`planned-${to.finding.id}`)?.scrollIntoView({ block: "nearest" });
      change({ at: to.finding.id });
    },
    disabled: chosen.length === 0 ? none : undefined,
  });
  const fresh = !isPlaceholderData && settled === JSON.stringify(request);
  const wrong = parseMoney(place.budget) === undefined || parseMost(place.most) === undefined;
  const start = () =>
    run.mutate(
      { findings: chosen.map(({ finding }) => finding.id) },
      {
        onSuccess: ({ queued }) => {
          go(inboxAt(place));
          say({
            tone: "plain",
            title: `${count(queued, "run")} started`,
            lines: ["Fixes are tried on a copy; your folder is not written."],
            action: { label: "Watch them", run: () => go(runsAt(place)) },
          });
        },
        onError: (failure) => sayError("No run was started", failure),
      },
    );
  const actions: Actions = {
    "plan.run": {
      run: start,
      disabled: wrong
        ? "A limit cannot be read"
        : run.isPending
          ? "The runs are being started"
          : data === undefined || !fresh
            ? MAKING
            : chosen.length === 0
              ? "No finding would be run"
              : undefined,
    },
    "plan.next": move(1),
    "plan.previous": move(-1),
    "plan.open": {
      run: () => {
        if (at !== undefined) go(findingAt(place, at.finding.id));
      },
      disabled: at === undefined ? none : undefined,
    },
    "plan.budget": { run: () => budget.current?.focus() },
    "plan.most": { run: () => most.current?.focus() },
    "plan.tiers": { run: () => go(providersAt(place, "tiers", place.project)) },
    "plan.back": { run: () => go(inboxAt(place)) },
  };
  useCommands(actions);

  return (
    <>
      <div className={`${columns.columns} ${styles.columns}`} data-open={false}>
        <section className={columns.column} aria-labelledby="plan">
          <div className={columns.bar}>
            <IconButton label="Back to the inbox" onClick={() => go(inboxAt(place))}>
              <Mark name="left" />
            </IconButton>
            <h1 id="plan">Plan</h1>
            <span className="small faint cut">nothing is sent before you start</span>
          </div>
          <div className={styles.reckoning}>
            {data !== undefined && <Totals plan={data} />}
            <Limits place={place} budget={budget} most={most} onChange={change} />
          </div>
          {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
          <div className={columns.scroll} tabIndex={0} role="region" aria-label="What would be run" aria-busy={!fresh}>
            {data === undefined && error === null && (
              <p className={styles.text} role="status">
                Reading the code around each finding, to see what its questions cost…
              </p>
            )}
            {data !== undefined && <Rows plan={data} at={at?.finding.id} onChoose={(id) => change({ at: id })} />}
          </div>
        </section>
        <section className={columns.column} aria-label="Seats">
          {at !== undefined && <PlannedSeats run={at} />}
        </section>
      </div>
      <Footer label="Actions">
        <CommandButton command="plan.run" action={actions["plan.run"]} look="primary">
          {chosen.length === 0 ? "Run" : `Run ${chosen.length.toLocaleString("en")}`}
        </CommandButton>
        <CommandButton command="plan.open" action={actions["plan.open"]}>
          Open
        </CommandButton>
        <CommandButton command="plan.tiers" action={actions["plan.tiers"]}>
          Change tiers
        </CommandButton>
        <CommandButton command="plan.back" action={actions["plan.back"]}>
          Do nothing
        </CommandButton>
        <FooterNote>Fixes are tried on a copy; your folder is not written.</FooterNote>
      </Footer>
    </>
  );
}

function Rows({ plan, at, onChoose }: { plan: PlanView; at: string | undefined; onChoose: (id: string) => void }) {
  const { chosen, deferred } = plan;
  return (
    <>
      {chosen.length === 0 && (
        <p className={styles.text}>
          {deferred.length === 0
            ? "No finding is open here, so there is nothing to look for."
            : "None of these would be run; each says why."}
        </p>
      )}
      <PlannedRows chosen={chosen} at={at} onChoose={onChoose} />
      {deferred.length > 0 && (
        <>
          <SectionHead title="Not run" level={2} line={false} end={count(deferred.length, "finding")} />
          <DeferredRows deferred={deferred} />
        </>
      )}
    </>
  );
}

/** Compare: two ways of coming to fixes on the same findings, chosen between without knowing which is which. */
import { useIsMutating } from "@tanstack/react-query";
import { useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { FixComparisonView } from "../../backend/generated";
import { type Actions, useCommands } from "../../commands/active";
import { Button, CommandButton, IconButton } from "../../components/button";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { Mark } from "../../components/mark";
import { count } from "../../format";
import { type ComparePlace, compareAt, go, listOf } from "../../routes";
import { useNotices } from "../frame/notice";
import { Begin } from "./begin";
import styles from "./compare.module.css";
import { Pair } from "./pair";
import { Report } from "./report";

export function Compare({ place }: { place: ComparePlace }) {
  const client = place.client === "" ? null : place.client;
  const list = useCommand("list_comparisons", { client });
  const back = () => go({ screen: "insights", ...listOf(place) });
  useCommands({ "compare.back": { run: back } });
  const items = list.data?.items ?? [];
  const shown = place.at === "new" ? undefined : (items.find(({ id }) => String(id) === place.at) ?? items[0]);
  return (
    <>
      <div className={columns.bar}>
        <IconButton label="Back to insights" onClick={back}>
          <Mark name="left" />
        </IconButton>
        <h1>Compare</h1>
        {shown !== undefined && (
          <select
            className={styles.which}
            aria-label="Comparison"
            value={shown.id}
            onChange={(event) => go(compareAt(place, place.client, event.target.value), "replace")}
          >
            {items.map((one) => (
              <option key={one.id} value={one.id}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        )}
        <span className="grow" />
        {shown !== undefined && (
          <Button onClick={() => go(compareAt(place, place.client, "new"), "replace")}>New comparison…</Button>
        )}
      </div>
      {list.error !== null && <ErrorNote error={list.error} onRetry={() => void list.refetch()} />}
      {list.data !== undefined &&
        (shown === undefined ? (
          <Begin place={place} designs={list.data.designs} />
        ) : (
          <Shown key={shown.id} comparison={shown} />
        ))}
    </>
  );
}

export function nameOf({ id, a, b }: FixComparisonView): string {
  return `${id}: ${a.name} and ${b.name}`;
}

/** What is next in a comparison: to run it, to choose, or to read what came out. */
function Shown({ comparison }: { comparison: FixComparisonView }) {
  // Whoever began it may be another page that has gone.
  const running = useIsMutating({ mutationKey: ["run_comparison"] }) > 0;
  const [asItIs, setAsItIs] = useState(false);
  if (comparison.pending > 0 && (running || !asItIs)) {
    return <Pending comparison={comparison} running={running} onStay={() => setAsItIs(true)} />;
  }
  if (comparison.waiting > 0) return <Pair comparison={comparison} />;
  return <Report comparison={comparison} />;
}

interface PendingProps {
  comparison: FixComparisonView;
  running: boolean;
  /** What is run is enough. */
  onStay: () => void;
}

function Pending({ comparison, running, onStay }: PendingProps) {
  const run = useChange("run_comparison");
  const cancel = useChange("cancel_runs");
  const { sayError } = useNotices();
  const { id, client, findings, pending } = comparison;
  const start = () =>
    run.mutate({ comparison: id, client }, { onError: (error) => sayError("The comparison stopped", error) });
  const actions: Actions = {
    "compare.begin": { run: start, disabled: running ? "It is being run" : undefined },
  };
  useCommands(actions);
  return (
    <>
      <div className={columns.scroll} tabIndex={0} role="region" aria-label="Runs" aria-busy={running}>
        <p className={styles.text} role="status">
          Both are run on {findings - pending} of {count(findings, "finding")}.
        </p>
        <p className={styles.text}>
          One after another, so that what each costs and how long it takes is its own. What is run stays.
        </p>
      </div>
      <Footer label="Actions">
        <CommandButton command="compare.begin" action={actions["compare.begin"]} look="primary">
          {running ? "Running…" : "Run the rest"}
        </CommandButton>
        {running ? (
          <Button
            disabled={cancel.isPending}
            onClick={() =>
              cancel.mutate({}, { onError: (error) => sayError("The runs could not be cancelled", error) })
            }
          >
            Stop all runs
          </Button>
        ) : (
          pending < findings && <Button onClick={onStay}>Go on with what is run</Button>
        )}
        <FooterNote>Fixes are tried on a copy; your folder is not written.</FooterNote>
      </Footer>
    </>
  );
}

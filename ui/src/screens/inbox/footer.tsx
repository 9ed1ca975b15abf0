/** The actions of the inbox; one of them is the main one, depending on what there is to do. */
import type { FindingRow, ViewCounts } from "../../backend/generated";
import { type Actions, useActiveCommands } from "../../commands/active";
import { CommandButton } from "../../components/button";
import { Footer, FooterNote } from "../../components/footer";
import { count } from "../../format";
import { openCount } from "./actions";

type Props = {
  actions: Actions;
  cursor: FindingRow | undefined;
  chosen: readonly FindingRow[];
  counts: ViewCounts | null;
};

export function InboxFooter(props: Props) {
  return (
    <Footer label="Actions">{props.chosen.length > 0 ? <ForSelection {...props} /> : <ForCursor {...props} />}</Footer>
  );
}

function ForSelection({ actions, chosen }: Props) {
  const ready = chosen.filter(({ status }) => status === "fix_ready").length;
  const fixed = chosen.filter(({ status }) => status === "fixed").length;
  return (
    <>
      <CommandButton command="inbox.apply" action={actions["inbox.apply"]} look="primary">
        Apply {count(ready, "fix", "fixes")}
      </CommandButton>
      <CommandButton command="inbox.run" action={actions["inbox.run"]}>
        {chosen.length === 1 ? "Find a fix" : "Find fixes…"}
      </CommandButton>
      {fixed > 0 && (
        <CommandButton command="inbox.undo" action={actions["inbox.undo"]}>
          Undo {count(fixed, "fix", "fixes")}
        </CommandButton>
      )}
      <FooterNote>
        {count(chosen.length, "finding")} selected. Each recommended fix is written to your folder and can be undone.
      </FooterNote>
      <CommandButton command="inbox.dismiss" action={actions["inbox.dismiss"]} look="quiet">
        Dismiss…
      </CommandButton>
      <CommandButton command="inbox.clear" action={actions["inbox.clear"]} look="quiet">
        Clear
      </CommandButton>
    </>
  );
}

function ForCursor({ actions, cursor, counts }: Props) {
  const untried = openCount(counts);
  const status = cursor?.status;
  const running = counts?.running ?? 0;
  return (
    <>
      {untried > 0 && (
        <CommandButton command="inbox.run.all" action={actions["inbox.run.all"]} look="primary">
          {untried === 1 ? "Find a fix for the open finding…" : `Find fixes for all ${untried}…`}
        </CommandButton>
      )}
      {status === "fix_ready" && (
        <CommandButton command="inbox.apply" action={actions["inbox.apply"]} look={untried > 0 ? "plain" : "primary"}>
          Apply this fix
        </CommandButton>
      )}
      {status === "fixed" && (
        <CommandButton command="inbox.undo" action={actions["inbox.undo"]}>
          Undo this fix
        </CommandButton>
      )}
      {status === "dismissed" && (
        <CommandButton command="inbox.reopen" action={actions["inbox.reopen"]}>
          Open it again
        </CommandButton>
      )}
      <CommandButton command="inbox.open" action={actions["inbox.open"]}>
        Open
      </CommandButton>
      {(status === "open" || status === "no_safe_fix" || status === "suspected_false_positive") && (
        <CommandButton command="inbox.run" action={actions["inbox.run"]} look="quiet">
          {status === "open" ? "Find a fix" : "Try again"}
        </CommandButton>
      )}
      <FooterNote>{noteOf(status, untried)}</FooterNote>
      {running > 0 && <CancelRuns running={running} />}
      <span className="wide">
        <CommandButton command="inbox.import" action={actions["inbox.import"]} look="quiet">
          Import a SARIF file…
        </CommandButton>
      </span>
      <CommandButton command="inbox.scan" action={actions["inbox.scan"]} look="quiet">
        Scan again
      </CommandButton>
    </>
  );
}

function CancelRuns({ running }: { running: number }) {
  const active = useActiveCommands();
  return (
    <CommandButton command="runs.cancel" action={{ run: () => active.run("runs.cancel") }}>
      Cancel {count(running, "run")}
    </CommandButton>
  );
}

function noteOf(status: FindingRow["status"] | undefined, untried: number): string {
  switch (status) {
    case "fix_ready":
      return "Applying writes to your folder; undo takes it back.";
    case "dismissed":
      return "Open again, it stands as its last run has left it.";
    case "fixed":
      return "Undo restores the very bytes that were there.";
    default:
      return untried > 0 ? "Fixes are tried on a copy; your folder is not written." : "";
  }
}

/** The actions of a finding, and the sentence of what the main one will do. */
import type { FindingView, FixView } from "../../backend/generated";
import { type Action, type Actions, useActiveCommands } from "../../commands/active";
import { CommandButton } from "../../components/button";
import { Footer, FooterNote } from "../../components/footer";
import { KeysOf } from "../../components/kbd";
import { ago, count } from "../../format";
import { useNow } from "../../now";
import { draftKey, draftOf } from "./drafts";

export function FindingFooter({
  view,
  chosen,
  actions,
  onNext,
}: {
  view: FindingView;
  chosen: FixView | undefined;
  actions: Actions;
  onNext: Action;
}) {
  const now = useNow();
  const { row, resolution, applied, dismissed } = view;
  const number = chosen === undefined ? 0 : (resolution?.fixes.indexOf(chosen) ?? 0) + 1;
  const offered = chosen !== undefined && chosen.stopped === null;
  const again = resolution !== null;

  if (applied !== null) {
    return (
      <Footer label="Actions">
        <CommandButton command="finding.next" action={onNext} look="primary">
          Next finding
        </CommandButton>
        <CommandButton command="finding.undo" action={actions["finding.undo"]}>
          Undo
        </CommandButton>
        <FooterNote>
          Applied {ago(applied.applied_at, now)}, {count(applied.files.length, "file")} written. Undo restores the very
          bytes
          {applied.with.length > 0 &&
            ` and takes back ${count(applied.with.length, "other fix", "other fixes")} of the same change`}
          .
        </FooterNote>
        <CopyPatch actions={actions} />
      </Footer>
    );
  }
  if (dismissed !== null) {
    return (
      <Footer label="Actions">
        <CommandButton command="finding.reopen" action={actions["finding.reopen"]} look="primary">
          Open again
        </CommandButton>
        <CommandButton command="finding.next" action={onNext}>
          Next finding
        </CommandButton>
        <FooterNote>It stands again as its last run has left it.</FooterNote>
      </Footer>
    );
  }
  return (
    <Footer label="Actions">
      {offered && (
        <CommandButton command="finding.apply" action={actions["finding.apply"]} look="primary">
          {`Apply fix ${number}`}
        </CommandButton>
      )}
      {chosen !== undefined && (
        <CommandButton command="finding.edit" action={actions["finding.edit"]}>
          {draftOf(draftKey(row.id, chosen.id)) !== undefined ? "Go on editing" : "Edit"}
        </CommandButton>
      )}
      <CommandButton command="finding.run" action={actions["finding.run"]} look={offered ? "plain" : "primary"}>
        {again ? "Try again" : "Find a fix"}
      </CommandButton>
      {again && (
        <CommandButton command="finding.more" action={actions["finding.more"]}>
          With every seat
        </CommandButton>
      )}
      <FooterNote>
        {offered ? (
          <>
            Writes {count(chosen.files.length, "file")} in your folder; <KeysOf command="finding.undo" /> takes it back.
          </>
        ) : row.status === "running" ? (
          "Fixes are tried on a copy; your folder is not written."
        ) : (
          "A run tries fixes on a copy; your folder is not written."
        )}
      </FooterNote>
      {row.status === "running" && <CancelRuns />}
      <CommandButton command="finding.preview" action={actions["finding.preview"]} look="quiet">
        What would be sent
      </CommandButton>
      {chosen !== undefined && <CopyPatch actions={actions} />}
      <CommandButton command="finding.dismiss" action={actions["finding.dismiss"]} look="quiet">
        Dismiss…
      </CommandButton>
    </Footer>
  );
}

function CancelRuns() {
  const active = useActiveCommands();
  return (
    <CommandButton command="runs.cancel" action={{ run: () => active.run("runs.cancel") }}>
      Cancel all runs
    </CommandButton>
  );
}

function CopyPatch({ actions }: { actions: Actions }) {
  return (
    <CommandButton command="finding.copy" action={actions["finding.copy"]} look="quiet">
      Copy patch
    </CommandButton>
  );
}

/** What can be done from the inbox, as commands: for the finding under the cursor, the selected ones, or all. */
import { useQueryClient } from "@tanstack/react-query";
import { refresh, useBackend, useChange } from "../../api/client";
import { toApiError } from "../../backend/backend";
import type { FindingRow, FixesApplied, ProjectView, ViewCounts } from "../../backend/generated";
import { tags } from "../../backend/generated";
import type { Actions } from "../../commands/active";
import { count, fileName, sentence } from "../../format";
import { currentPlace, go, planAt } from "../../routes";
import { useReopen } from "../finding/dismiss";
import { useNotices } from "../frame/notice";
import type { useProjectChanges } from "../frame/projects";

export function openCount(counts: ViewCounts | null): number {
  return counts === null ? 0 : Math.max(0, counts.needs_you - counts.fix_ready - counts.no_safe_fix);
}

const RUNNABLE = new Set<FindingRow["status"]>([
  "open",
  "fix_ready",
  "disagreement",
  "no_safe_fix",
  "suspected_false_positive",
]);

/** A fix of these is applied or looked for, or they are dismissed. */
const UNDISMISSABLE = new Set<FindingRow["status"]>(["fixed", "running", "dismissed"]);

export function useInboxActions({
  project,
  cursor,
  chosen,
  counts,
  changes,
  clear,
  dismiss,
}: {
  project: ProjectView;
  cursor: FindingRow | undefined;
  chosen: readonly FindingRow[];
  counts: ViewCounts | null;
  changes: ReturnType<typeof useProjectChanges>;
  clear: () => void;
  /** Asks why these are dismissed. */
  dismiss: (findings: readonly string[]) => void;
}): Actions {
  const { say, sayError } = useNotices();
  const run = useChange("run_fix");
  const applyAll = useApplyAll();
  const undoAll = useUndoAll();
  const reopen = useReopen();

  const subjects = chosen.length > 0 ? chosen : cursor === undefined ? [] : [cursor];
  const ready = subjects.filter(({ status }) => status === "fix_ready");
  const fixed = subjects.filter(({ status }) => status === "fixed");
  const runnable = subjects.filter(({ status }) => RUNNABLE.has(status));
  const dismissed = subjects.filter(({ status }) => status === "dismissed");
  const dismissable = subjects.filter(({ status }) => !UNDISMISSABLE.has(status));
  const open = openCount(counts);

  // One begins at once; what many would take is shown first.
  const start = (findings: string[]) => {
    if (findings.length !== 1) return go({ ...planAt(currentPlace(), findings), project: project.id });
    run.mutate(
      { findings },
      {
        onSuccess: ({ queued }) =>
          say({
            tone: "plain",
            title: `${count(queued, "run")} started`,
            lines: ["Fixes are tried on a copy; your folder is not written."],
          }),
        onError: (error) => sayError("No run was started", error),
      },
    );
  };

  return {
    "inbox.apply": {
      run: () => applyAll(ready).then(clear),
      disabled: ready.length === 0 ? "No recommended fix is waiting here" : undefined,
    },
    "inbox.undo": {
      run: () => undoAll(fixed.map(({ id }) => id)),
      disabled: fixed.length === 0 ? "No fix is applied here" : undefined,
    },
    "inbox.run": {
      run: () => {
        start(runnable.map(({ id }) => id));
        if (runnable.length === 1) clear();
      },
      disabled: runnable.length === 0 ? "There is nothing to look for here" : undefined,
    },
    "inbox.run.all": { run: () => start([]), disabled: open === 0 ? "No finding is open without a run" : undefined },
    "inbox.dismiss": {
      run: () => dismiss(dismissable.map(({ id }) => id)),
      disabled: dismissable.length === 0 ? "There is nothing to dismiss here" : undefined,
    },
    "inbox.reopen": {
      run: () => reopen(dismissed.map(({ id }) => id)),
      disabled: dismissed.length === 0 ? "No finding is dismissed here" : undefined,
    },
    "inbox.scan": {
      run: () => changes.scanProject(project.id, project.name),
      disabled: changes.busy ? "A scan is under way" : undefined,
    },
    ...(chosen.length > 0 ? { "inbox.clear": { run: clear } } : {}),
  };
}

/** Applies recommended fixes together and says how each went; one that is refused stops no other. */
function useApplyAll(): (rows: readonly FindingRow[]) => Promise<void> {
  const backend = useBackend();
  const client = useQueryClient();
  const { say, sayError } = useNotices();
  const undoAll = useUndoAll();
  return async (rows) => {
    const lines = rows.length > 1 ? ["Fixes of one file are checked together first."] : [];
    say({ tone: "plain", title: `Applying ${count(rows.length, "fix", "fixes")}…`, lines });
    let done: FixesApplied;
    try {
      done = await backend.call("apply_fixes", { fixes: rows.map(({ id }) => ({ finding: id, fix: null })) });
    } catch (error) {
      sayError("Nothing was applied", toApiError(error));
      return;
    }
    await refresh(client, tags.apply_fixes);
    const applied = done.applied.map(({ finding }) => finding).toReversed();
    const names = [...new Set(done.applied.flatMap(({ files }) => files))].map(fileName).join(", ");
    const title = (finding: string) => rows.find(({ id }) => id === finding)?.title ?? finding;
    const refused = done.refused.map(
      ({ finding, message, hint }) => `${title(finding)}: ${[message, hint ?? ""].map(sentence).join(" ")}`,
    );
    const sum = `${count(applied.length, "fix", "fixes")} applied`;
    say({
      tone: refused.length > 0 ? "fail" : "pass",
      title:
        refused.length > 0
          ? `${sum}, ${refused.length} refused: nothing was written for those`
          : `${sum}: ${names} written`,
      lines: refused,
      ...(applied.length > 0 ? { action: { label: "Undo", run: () => void undoAll(applied) } } : {}),
    });
  };
}

/** Takes applied fixes back, in the order given; what was written with one goes with it. */
function useUndoAll(): (findings: readonly string[]) => Promise<void> {
  const backend = useBackend();
  const client = useQueryClient();
  const { say } = useNotices();
  return async (findings) => {
    const undone = new Set<string>();
    const refused: string[] = [];
    for (const finding of findings) {
      if (undone.has(finding)) continue;
      try {
        const view = await backend.call("undo_fix", { finding });
        for (const one of [finding, ...view.with]) undone.add(one);
      } catch (error) {
        const { message, hint } = toApiError(error);
        refused.push([message, hint ?? ""].map(sentence).join(" "));
      }
    }
    await refresh(client, tags.undo_fix);
    say({
      tone: refused.length > 0 ? "fail" : "pass",
      title: `${count(undone.size, "fix", "fixes")} taken back${refused.length > 0 ? `, ${refused.length} refused` : ": the files are as they were"}`,
      lines: refused,
    });
  };
}

/** What can be done with a finding, as commands. */
import { useChange } from "../../api/client";
import type { Effort, FindingView, FixView } from "../../backend/generated";
import { copyText } from "../../clipboard";
import { patchText } from "../../code/patch";
import type { Actions } from "../../commands/active";
import { count, fileName } from "../../format";
import { useNotices } from "../frame/notice";
import { useReopen } from "./dismiss";

export function useFindingActions(view: FindingView, chosen: FixView | undefined): Actions {
  const { say, sayError } = useNotices();
  const apply = useChange("apply_fix");
  const undo = useChange("undo_fix");
  const run = useChange("run_fix");
  const reopen = useReopen();
  const finding = view.row.id;
  const busy = apply.isPending || undo.isPending;

  const takeBack = () => {
    say({ tone: "plain", title: "Taking the fix back…" });
    undo.mutate(
      { finding },
      {
        onSuccess: ({ files, with: others }) => {
          const lines = [files.join(", ")];
          if (others.length > 0) lines.push(`With it: ${count(others.length, "fix", "fixes")} of the same change.`);
          say({ tone: "pass", title: "Taken back: the files are as they were", lines });
        },
        onError: (error) => sayError("The fix was not taken back", error),
      },
    );
  };

  const write = (fix: FixView) => {
    say({ tone: "plain", title: `Applying: ${count(fix.files.length, "file")} being written…` });
    apply.mutate(
      { finding, fix: fix.id },
      {
        onSuccess: ({ files }) =>
          say({
            tone: "pass",
            title: `Applied: ${files.map(fileName).join(", ")} written`,
            lines: ["The scanner has not looked at the folder again yet."],
            action: { label: "Undo", run: takeBack },
          }),
        onError: (error) => sayError("The fix was not applied", error),
      },
    );
  };

  const start = (effort: Effort) =>
    run.mutate(
      { findings: [finding], effort },
      {
        onSuccess: ({ queued }) =>
          say({
            tone: "plain",
            title:
              queued === 0
                ? "A run is under way already"
                : effort === "most"
                  ? "Run started, with every seat"
                  : "Run started",
          }),
        onError: (error) => sayError("No run was started", error),
      },
    );

  return {
    "finding.apply": {
      run: () => {
        if (chosen !== undefined) write(chosen);
      },
      disabled: whyNotApply(view, chosen) ?? (busy ? "Wait for the last change to end" : undefined),
    },
    "finding.undo": {
      run: takeBack,
      disabled: view.applied === null ? "No fix is applied" : busy ? "Wait for the last change to end" : undefined,
    },
    "finding.run": { run: () => start("usual"), disabled: whyNotRun(view) },
    "finding.more": { run: () => start("most"), disabled: whyNotRun(view) },
    "finding.reopen": {
      run: () => reopen([finding]),
      disabled: view.dismissed === null ? "The finding is not dismissed" : undefined,
    },
    "finding.copy": {
      run: () => {
        if (chosen === undefined) return;
        void copyText(patchText(chosen.files)).then((copied) =>
          say(
            copied
              ? {
                  tone: "plain",
                  title: "Patch copied",
                  lines: [`${count(chosen.files.length, "file")}, as a unified diff.`],
                }
              : { tone: "fail", title: "The patch could not be copied", lines: ["The clipboard is not to be had."] },
          ),
        );
      },
      disabled: chosen === undefined ? "There is no fix to copy" : undefined,
    },
  };
}

function whyNotApply({ row, applied }: FindingView, chosen: FixView | undefined): string | undefined {
  if (applied !== null) return "A fix is applied already: undo it first";
  if (chosen === undefined) return "There is no fix to apply";
  if (chosen.stopped !== null) return "This fix was stopped by a check";
  return row.status === "running" ? "A run is under way" : undefined;
}

function whyNotRun({ row, applied, dismissed }: FindingView): string | undefined {
  if (dismissed !== null) return "It is dismissed: open it again first";
  if (applied !== null) return "A fix is applied: undo it first";
  return row.status === "running" ? "A run is under way" : undefined;
}

/** Why the chosen fix cannot be edited. */
export function whyNotEdit({ row, applied }: FindingView, chosen: FixView | undefined): string | undefined {
  if (applied !== null) return "A fix is applied: undo it first";
  if (chosen === undefined) return "There is no fix to edit";
  return row.status === "running" ? "A run is under way" : undefined;
}

/** Why the finding cannot be dismissed as it stands. */
export function whyNotDismiss({ row, applied, dismissed }: FindingView): string | undefined {
  if (dismissed !== null) return "It is dismissed already";
  if (applied !== null) return "A fix is applied: undo it first";
  return row.status === "running" ? "A run is under way" : undefined;
}

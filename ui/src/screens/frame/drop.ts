/**
 * Files dropped on the window: a log is imported into the project one looks at, a folder becomes a project, and what a
 * configuration would change is shown.
 */
import { useEffect, useEffectEvent, useState } from "react";
import { useBackend } from "../../api/client";
import type { Drop } from "../../backend/backend";
import type { ProjectView } from "../../backend/generated";
import { fileName, folderOf, looksLikeConfig, looksLikeLog } from "../../format";
import { currentPlace, go, providersAt } from "../../routes";
import { useNotices } from "./notice";
import type { useProjectChanges } from "./projects";

/** Whether something is held over the window. */
export function useDrop(project: ProjectView | undefined, changes: ReturnType<typeof useProjectChanges>): boolean {
  const backend = useBackend();
  const { say } = useNotices();
  const [held, setHeld] = useState(false);
  const take = useEffectEvent((drop: Drop) => {
    setHeld(drop.kind === "over");
    if (drop.kind !== "drop") return;
    const config = drop.paths.find(looksLikeConfig);
    if (config !== undefined) return go(providersAt(currentPlace(), "import", config));
    const logs = drop.paths.filter(looksLikeLog);
    const folder = drop.paths.find((path) => !looksLikeLog(path));
    if (folder !== undefined) {
      changes.addFolder(folder, true, logs);
    } else if (project !== undefined) {
      for (const path of logs) changes.importLog(project.id, path);
    } else if (logs[0] !== undefined) {
      const around = folderOf(logs[0]);
      say({
        tone: "plain",
        title: `${fileName(logs[0])} needs the folder that it is about`,
        lines: [`Add that folder first. The log lies in ${around}.`],
        action: { label: "Add that folder and import", run: () => changes.addFolder(around, true, logs) },
      });
    }
  });
  // Heard without a gap: to listen anew takes the window a moment, and what is dropped in it would be lost.
  useEffect(() => backend.onFilesDropped((drop) => take(drop)), [backend]);
  return held;
}

/** What one does with projects and logs, with a notice of how it ended. */
import { useMemo } from "react";
import type { ProjectView } from "../../backend/generated";
import { useChange, useCommand } from "../../api/client";
import { fileName } from "../../format";
import { LIST, type Place, go } from "../../routes";
import { useNotices } from "./notice";
import { noticeOfImport } from "./notices";

/** The project of `place`: the named one, else the first. */
export function useProject(place: Place): { project: ProjectView | undefined; all: ProjectView[]; ready: boolean } {
  const { data } = useCommand("list_projects", {});
  const all = data?.items ?? [];
  const project = all.find(({ id }) => id === place.project) ?? all[0];
  return { project, all, ready: data !== undefined };
}

export function openProject(project: string): void {
  go({ screen: "inbox", at: null, ...LIST, project });
}

export function useProjectChanges() {
  const { say, sayError } = useNotices();
  const add = useChange("add_project");
  const demo = useChange("open_demo");
  const log = useChange("import_sarif");
  const scan = useChange("scan_project");

  const busy = add.isPending || demo.isPending || log.isPending || scan.isPending;
  const { mutate: mutateAdd } = add;
  const { mutate: mutateDemo } = demo;
  const { mutate: mutateLog } = log;
  const { mutate: mutateScan } = scan;

  return useMemo(() => {
    const scanProject = (project: string, name: string) => {
      say({ tone: "plain", title: `Scanning ${name}…` });
      mutateScan(
        { project },
        {
          onSuccess: (view) => say(noticeOfImport(`Scanned ${name}`, view)),
          onError: (error) => sayError(`${name} could not be scanned`, error),
        },
      );
    };

    const importLog = (project: string, path: string) => {
      say({ tone: "plain", title: `Importing ${fileName(path)}…` });
      mutateLog(
        { project, path },
        {
          onSuccess: (view) => say(noticeOfImport(`Imported ${fileName(path)}`, view)),
          onError: (error) => sayError(`${fileName(path)} was not imported`, error),
        },
      );
    };

    /** Shows a project that was just added; looks into it where the core has not done so by itself. */
    const opened = ({ id, name, scans }: ProjectView, thenImport: readonly string[] = []) => {
      openProject(id);
      if (scans.length === 0) scanProject(id, name);
      for (const path of thenImport) importLog(id, path);
    };

    return {
      busy,
      scanProject,
      importLog,
      addFolder(path: string, watch: boolean, thenImport: readonly string[] = []) {
        mutateAdd(
          { path, watch },
          {
            onSuccess: (project) => opened(project, thenImport),
            onError: (error) => sayError(`${path} was not added`, error),
          },
        );
      },
      openDemo() {
        mutateDemo(
          {},
          {
            onSuccess: (project) => opened(project),
            onError: (error) => sayError("The sample project could not be opened", error),
          },
        );
      },
    };
  }, [busy, mutateAdd, mutateDemo, mutateLog, mutateScan, say, sayError]);
}

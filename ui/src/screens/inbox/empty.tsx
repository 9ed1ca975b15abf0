/** A list without findings: which state that is, why, and one thing to do. A failed scan never reads as a clean one. */
import type { ProjectView, ViewCounts } from "../../backend/generated";
import { Button } from "../../components/button";
import { ago, count } from "../../format";
import type { ListPlace } from "../../routes";
import styles from "./empty.module.css";

export function EmptyList({
  project,
  list,
  counts,
  now,
  onClear,
  onScan,
}: {
  project: ProjectView;
  list: ListPlace;
  counts: ViewCounts | null;
  now: number;
  onClear: () => void;
  onScan: () => void;
}) {
  const { title, text } = wordsFor(project, list, counts, now);
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      <p>{text}</p>
      {list.query === "" ? (
        <Button onClick={onScan}>Scan {project.name}</Button>
      ) : (
        <Button onClick={onClear}>Clear the filter</Button>
      )}
    </div>
  );
}

function wordsFor(
  { name, scans }: ProjectView,
  list: ListPlace,
  counts: ViewCounts | null,
  now: number,
): { title: string; text: string } {
  const all = counts?.all ?? 0;
  const failed = scans.filter(({ state }) => state === "failed");
  if (list.query !== "")
    return { title: "No finding matches the filter", text: `${count(all, "finding")} in ${name} without it.` };
  if (all === 0 && failed.length > 0) {
    return {
      title: "Nothing is known yet: a scan failed",
      text: `${failed.map(({ tool }) => tool).join(", ")} did not read what it should. That says nothing about ${name}.`,
    };
  }
  const newest = Math.max(...scans.map(({ at }) => at));
  if (all === 0 && scans.length === 0)
    return {
      title: "Nothing was scanned yet",
      text: `Scan ${name} with the built-in detectors, or import what a scanner wrote.`,
    };
  if (all === 0) return { title: "No findings", text: `The last scan of ${name} was ${ago(newest, now)}.` };
  if (list.view === "needs_you") {
    const parts = [
      counts?.fixed ? `${counts.fixed} fixed` : "",
      counts?.dismissed ? `${counts.dismissed} dismissed` : "",
      counts?.suppressed ? `${counts.suppressed} suppressed` : "",
      counts?.running ? `${counts.running} running` : "",
    ];
    return {
      title: "Nothing needs you",
      text: `Of ${count(all, "finding")}: ${parts.filter((part) => part !== "").join(", ")}.`,
    };
  }
  return { title: "Nothing here", text: `${count(all, "finding")} in other views.` };
}

/** The status strip: what is watched, what runs, and what left this machine. Always there. */
import { useState } from "react";
import { useCommand } from "../../api/client";
import { everyFinding } from "../../api/finding-window";
import type { Network, ProjectView, StatusView } from "../../backend/generated";
import { IconButton } from "../../components/button";
import { Mark } from "../../components/mark";
import { count } from "../../format";
import { money } from "../../money";
import { Prose } from "../../components/prose";
import styles from "./strip.module.css";

export function Strip({ project }: { project: ProjectView | undefined }) {
  const { data: status, error } = useCommand("get_status", {});
  return (
    <footer className={styles.strip} aria-label="Status">
      {error !== null && <span>The core does not say how it is</span>}
      {status !== undefined && (
        <>
          <span>
            {status.watched > 0 && <i className={styles.dot} />}
            {status.watched > 0 ? `Watching ${count(status.watched, "folder")}` : "Nothing watched yet"}
          </span>
          <span role="status">
            {status.running > 0 ? `Running ${status.running}` : "Nothing running"}
            {status.running === 0 && project !== undefined && <Brought project={project} />}
          </span>
          <SpentToday />
          <span className={styles.net}>
            <Mark name={status.network === "open" ? "leave" : "lock"} size={12} />
            {egressWords(status)}
          </span>
          <span className={`${styles.version} wide`}>{status.version}</span>
        </>
      )}
    </footer>
  );
}

/** What the runs have brought, where there was one. */
function Brought({ project }: { project: ProjectView }) {
  const { data } = useCommand("list_findings", everyFinding(project.id));
  const { fix_ready: ready = 0, no_safe_fix: none = 0 } = data?.counts ?? {};
  const words = [
    ...(ready > 0 ? [`${count(ready, "fix", "fixes")} ready`] : []),
    ...(none > 0 ? [`${none} without a safe fix`] : []),
  ];
  return words.length > 0 && <span className="wide">{`: ${words.join(", ")}`}</span>;
}

/** What models cost today, and what they may; nothing where neither is anything. */
function SpentToday() {
  const { data } = useCommand("get_spending", {});
  if (data === undefined || (data.today.calls === 0 && data.budget.per_day === null)) return null;
  const { today, budget } = data;
  return (
    <span className="wide">
      Spent today {money(today.spent)}
      {budget.per_day !== null && ` of ${money(budget.per_day)}`}
      {today.unknown > 0 && `, and ${count(today.unknown, "call")} of unknown cost`}
    </span>
  );
}

/** What left this machine, as a fact. */
export function egressWords({ egress, network }: Pick<StatusView, "egress" | "network">): string {
  const left = egress === 0 ? "nothing left this machine" : `${count(egress, "request")} left this machine`;
  return `${NETWORK[network]}: ${left}`;
}

const NETWORK: Record<Network, string> = { open: "Network by rule", local_only: "Local only", offline: "Offline" };

/** Things the person should know, until they are closed. */
export function StatusNotices() {
  const { data: status } = useCommand("get_status", {});
  const [closed, setClosed] = useState<readonly string[]>([]);
  const open = status?.notices.filter((notice) => !closed.includes(notice)) ?? [];
  return open.map((notice) => (
    <div key={notice} className={styles.notice} role="status">
      <Mark name="info" />
      <span className="grow">
        <Prose text={notice} />
      </span>
      <IconButton label="Close" onClick={() => setClosed([...closed, notice])}>
        <Mark name="close" size={12} />
      </IconButton>
    </div>
  ));
}

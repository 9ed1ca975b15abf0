/** Where one can go: the screens, and the saved views of the inbox with their counts. */
import { useCommand } from "../../api/client";
import { everyFinding } from "../../api/finding-window";
import type { ProjectView } from "../../backend/generated";
import { Mark, type MarkName } from "../../components/mark";
import { type Place, VIEWS, formatPlace, inboxAt, listOf, providersAt, runsAt } from "../../routes";
import { VIEW_NAMES } from "../inbox/views";
import styles from "./rail.module.css";

export function Rail({ place, project, slim }: { place: Place; project: ProjectView | undefined; slim: boolean }) {
  const { data: status } = useCommand("get_status", {});
  const inInbox = place.screen === "inbox" || place.screen === "finding" || place.screen === "plan";
  return (
    <nav className={styles.rail} aria-label="Screens" data-slim={slim}>
      <RailLink name="Inbox" mark="inbox" to={inboxAt(place)} current={inInbox} />
      {place.screen === "inbox" && project !== undefined && <Views place={place} project={project} />}
      <RailLink name="Runs" mark="runs" to={runsAt(place)} current={place.screen === "runs"} />
      <RailLink
        name="Insights"
        mark="insights"
        to={{ screen: "insights", ...listOf(place) }}
        current={place.screen === "insights" || place.screen === "compare"}
      />
      <RailLink
        name="Policy"
        mark="policy"
        to={{ screen: "policy", ...listOf(place) }}
        current={place.screen === "policy"}
        count={status?.asks_waiting}
      />
      <RailLink name="Models and keys" mark="key" to={providersAt(place)} current={place.screen === "providers"} />
      <span className="grow" />
      <RailLink
        name="This machine"
        mark="machine"
        to={{ screen: "machine", ...listOf(place) }}
        current={place.screen === "machine"}
      />
    </nav>
  );
}

function RailLink({
  name,
  mark,
  to,
  current,
  count = 0,
}: {
  name: string;
  mark: MarkName;
  to: Place;
  current: boolean;
  /** How many things wait there. */
  count?: number | undefined;
}) {
  return (
    <a href={formatPlace(to)} className={styles.link} aria-current={current ? "page" : undefined} title={name}>
      <Mark name={mark} size={16} />
      <span>{name}</span>
      {count > 0 && (
        <span className={styles.count}>
          {count > 99 ? "99+" : count}
          <span className="heard"> waiting</span>
        </span>
      )}
    </a>
  );
}

function Views({ place, project }: { place: Place; project: ProjectView }) {
  const { data } = useCommand("list_findings", everyFinding(project.id));
  return (
    <div className={styles.views}>
      {VIEWS.map((view) => (
        <a
          key={view}
          href={formatPlace({ ...inboxAt(place), view })}
          className={styles.view}
          aria-current={place.view === view ? "true" : undefined}
        >
          {VIEW_NAMES[view]}
          <span className={styles.count}>{data?.counts[view]}</span>
        </a>
      ))}
    </div>
  );
}

/** What stands around every screen: title bar, rail, notice and status strip; the commands that work everywhere. */
import { useEffect, useMemo, useState } from "react";
import { useChange, useCommand } from "../../api/client";
import { useEvents } from "../../api/events";
import { type Action, useActiveCommands, useCommands } from "../../commands/active";
import { KeySheet } from "../../commands/key-sheet";
import { Palette } from "../../commands/palette";
import type { PaletteEntry } from "../../commands/palette-search";
import { ErrorNote } from "../../components/error-note";
import { count } from "../../format";
import { type Screen, VIEWS, compareAt, go, inboxAt, listOf, providersAt, runsAt, usePlace } from "../../routes";
import { Compare } from "../compare/compare";
import { Finding } from "../finding/finding";
import { Inbox } from "../inbox/inbox";
import { VIEW_NAMES } from "../inbox/views";
import { Insights } from "../insights/insights";
import { Machine } from "../machine/machine";
import { Plan } from "../plan/plan";
import { Policy } from "../policy/policy";
import { WaitingBar } from "../policy/waiting";
import { Providers } from "../providers/providers";
import { Runs } from "../runs/runs";
import { Welcome } from "../welcome/welcome";
import { useDrop } from "./drop";
import styles from "./frame.module.css";
import { NoticeBars, useNotices } from "./notice";
import { openProject, useProject, useProjectChanges } from "./projects";
import { Rail } from "./rail";
import { StatusNotices, Strip } from "./strip";
import { nextTheme } from "./theme";
import { TitleBar } from "./title-bar";

export function Frame() {
  useEvents();
  const place = usePlace();
  const { project, all, ready } = useProject(place);
  const projects = useCommand("list_projects", {});
  const changes = useProjectChanges();
  const [sheet, setSheet] = useState<"palette" | "keys" | null>(null);
  const held = useDrop(project, changes);
  const active = useActiveCommands();
  const { say } = useNotices();
  const cancel = useCancel();

  useEffect(() => {
    active.reportTo((reason) => say({ tone: "plain", title: reason }));
  }, [active, say]);

  useCommands({
    palette: { run: () => setSheet("palette") },
    keys: { run: () => setSheet("keys") },
    "go.inbox": { run: () => go(inboxAt(place)) },
    "go.runs": { run: () => go(runsAt(place)) },
    "go.insights": { run: () => go({ screen: "insights", ...listOf(place) }) },
    "go.compare": { run: () => go(compareAt(place, "")) },
    "go.policy": { run: () => go({ screen: "policy", ...listOf(place) }) },
    "go.providers": { run: () => go(providersAt(place)) },
    "go.machine": { run: () => go({ screen: "machine", ...listOf(place) }) },
    "go.welcome": { run: () => go({ screen: "welcome", ...listOf(place) }) },
    demo: { run: changes.openDemo },
    theme: { run: () => say({ tone: "plain", title: `Theme: ${nextTheme()}` }) },
    "single.keys": {
      run: () => {
        active.toggleSingleKeys();
        say({ tone: "plain", title: `Single-letter keys are ${active.singleKeys ? "on" : "off"}` });
      },
    },
    "runs.cancel": cancel,
  });

  const more = useMemo(
    (): PaletteEntry[] => [
      ...all.map(({ id, name }) => ({ title: `Open project ${name}`, run: () => openProject(id) })),
      ...VIEWS.map((view) => ({
        title: `Show ${VIEW_NAMES[view].toLowerCase()}`,
        run: () => go({ ...inboxAt(place), view, screen: "inbox", at: null }),
      })),
    ],
    [all, place],
  );

  const screen = ready && project === undefined && place.screen === "inbox" ? "welcome" : place.screen;

  return (
    <div className={styles.frame} data-screen={screen}>
      <a className={styles.skip} href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <TitleBar project={project} all={all} onPalette={() => setSheet("palette")} />
      {screen !== "welcome" && (
        <Rail place={place} project={project} slim={screen === "finding" || screen === "runs"} />
      )}
      <main id="main" className={styles.main} tabIndex={-1}>
        <StatusNotices />
        {place.screen !== "policy" && <WaitingBar place={place} />}
        {projects.error !== null ? (
          <ErrorNote error={projects.error} onRetry={() => void projects.refetch()} />
        ) : (
          ready && <ScreenOf screen={screen} />
        )}
        <NoticeBars />
      </main>
      <Strip project={project} />
      {held && (
        <div className={styles.drop} aria-hidden="true">
          <p>
            {place.screen === "providers"
              ? "Drop a configuration to see what it would change"
              : project === undefined
                ? "Drop a folder to add it"
                : `Drop a SARIF log to import it into ${project.name}, or a folder to add it`}
          </p>
        </div>
      )}
      {sheet === "palette" && <Palette more={more} onClose={() => setSheet(null)} />}
      {sheet === "keys" && <KeySheet screen={screen} onClose={() => setSheet(null)} />}
    </div>
  );
}

function ScreenOf({ screen }: { screen: Screen }) {
  const place = usePlace();
  const { project } = useProject(place);
  switch (screen) {
    case "inbox":
      return (
        place.screen === "inbox" && project !== undefined && <Inbox key={project.id} place={place} project={project} />
      );
    case "finding":
      return place.screen === "finding" && <Finding key={place.finding} place={place} />;
    case "plan":
      return place.screen === "plan" && <Plan place={place} />;
    case "compare":
      return place.screen === "compare" && <Compare place={place} />;
    case "runs":
      return place.screen === "runs" && <Runs place={place} />;
    case "welcome":
      return <Welcome place={place} />;
    case "policy":
      return <Policy />;
    case "providers":
      return place.screen === "providers" && <Providers place={place} />;
    case "insights":
      return <Insights place={place} />;
    case "machine":
      return <Machine />;
  }
}

function useCancel(): Action {
  const { data: status } = useCommand("get_status", {});
  const { say, sayError } = useNotices();
  const cancel = useChange("cancel_runs");
  return {
    run: () =>
      cancel.mutate(
        {},
        {
          onSuccess: ({ queued }) =>
            say({
              tone: "plain",
              title:
                queued === 0
                  ? "Runs cancelled"
                  : `Runs cancelled, and ${count(queued, "more that waited", "more that waited")}`,
              lines: ["Nothing was written; findings are open again."],
            }),
          onError: (error) => sayError("The runs could not be cancelled", error),
        },
      ),
    disabled: (status?.running ?? 0) === 0 ? "Nothing is running" : undefined,
  };
}

function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

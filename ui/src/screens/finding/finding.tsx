/** One finding: the problem, the fixes, and why to believe them; the action is at the bottom. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useCommand } from "../../api/client";
import type { FindingView } from "../../backend/generated";
import { type Actions, notYet, useCommands } from "../../commands/active";
import { ErrorNote } from "../../components/error-note";
import { TABS, type Place, type Tab, findingAt, go, inboxAt } from "../../routes";
import { useFindingActions, whyNotDismiss, whyNotEdit } from "./actions";
import { Apart, Side } from "./compare";
import { DismissDialog, Dismissed } from "./dismiss";
import styles from "./finding.module.css";
import { FixEditor } from "./fix-editor";
import { Fixes } from "./fixes";
import { FindingFooter } from "./footer";
import { Headline } from "./headline";
import { Preview } from "./preview";
import { Problem } from "./problem";
import { Tried, WhyNone } from "./tried";
import { Why } from "./why";

type FindingPlace = Extract<Place, { screen: "finding" }>;

export function Finding({ place }: { place: FindingPlace }) {
  const { data, error, refetch } = useCommand("get_finding", { finding: place.finding });
  useCommands({
    ...(data === undefined ? NOT_YET : {}),
    "finding.back": {
      run: () => {
        if (place.beside === null) go(inboxAt(place, place.finding));
        else go({ ...place, beside: null }, "replace");
      },
    },
  });
  if (data !== undefined) return <Page key={data.row.id} place={place} view={data} />;
  return (
    <div className={styles.waiting}>
      {error === null ? (
        <p className="muted" role="status">
          Reading the finding…
        </p>
      ) : (
        <ErrorNote error={error} onRetry={() => void refetch()} />
      )}
    </div>
  );
}

const NOT_YET = notYet("finding", "The finding is still being read: press again when it is there");

/** The column that stands beside the chosen one where two have room. */
const BESIDE: Record<Tab, Tab> = { problem: "fixes", fixes: "why", why: "fixes" };

const TAB_NAMES: Record<Tab, string> = { problem: "Problem", fixes: "Fixes", why: "Why believe it" };

function Page({ place, view }: { place: FindingPlace; view: FindingView }) {
  const { row, resolution, neighbours, flow } = view;
  const fixes = resolution?.fixes ?? [];
  const chosen = fixes[place.fix - 1] ?? fixes[0];
  const [step, setStep] = useState(flow.length);
  const middle = useRef<HTMLElement>(null);
  const [sheet, setSheet] = useState<"preview" | "dismiss" | null>(null);
  /** The fix that is edited. */
  const [editing, setEditing] = useState<string | null>(null);
  /** The fix to be shown as soon as it is there. */
  const [wanted, setWanted] = useState<string | null>(null);
  const actions = {
    ...useFindingActions(view, chosen),
    "finding.edit": { run: () => setEditing(chosen?.id ?? null), disabled: whyNotEdit(view, chosen) },
    "finding.preview": { run: () => setSheet("preview") },
    "finding.dismiss": { run: () => setSheet("dismiss"), disabled: whyNotDismiss(view) },
  };

  const number = Math.min(place.fix, Math.max(1, fixes.length));
  // Two that are the same are one.
  const beside = place.beside !== null && place.beside <= fixes.length && place.beside !== number ? place.beside : null;
  const pick = useCallback(
    (fix: number) => go({ ...place, fix, beside: fix === beside ? number : place.beside }, "replace"),
    [place, beside, number],
  );
  const made = wanted === null ? 0 : fixes.findIndex(({ id }) => id === wanted) + 1;
  useEffect(() => {
    if (made === 0) return;
    setWanted(null);
    go({ ...place, fix: made, beside: null }, "replace");
  }, [made, place]);
  const pickBeside = (other: number) =>
    go({ ...place, fix: other === number && beside !== null ? beside : number, beside: other }, "replace");
  const alone = () => go({ ...place, beside: null }, "replace");
  const compare = {
    run: () => {
      // The next one that is not shown yet; after the last, one alone.
      const next = beside === null ? 1 + (number % fixes.length) : 1 + (beside % fixes.length);
      if (next === number) alone();
      else pickBeside(next);
    },
    disabled: fixes.length < 2 ? "There is no other fix to compare with" : undefined,
  };
  const showTab = (tab: Tab) => go({ ...place, tab }, "replace");
  const visit = (finding: string | null) => ({
    run: () => {
      if (finding !== null) go(findingAt(place, finding), "replace");
    },
    disabled: finding === null ? "There is no further finding" : undefined,
  });
  const walk = (by: number) => setStep((at) => Math.min(Math.max(1, at + by), flow.length));

  const mayEdit = whyNotEdit(view, chosen) === undefined;
  const edited = mayEdit ? fixes.find(({ id }) => id === editing) : undefined;
  const commands: Actions = {
    ...actions,
    "finding.compare": compare,
    "finding.next": visit(neighbours.next),
    "finding.previous": visit(neighbours.previous),
    "finding.tab": { run: () => showTab(TABS[(TABS.indexOf(place.tab) + 1) % TABS.length] ?? "fixes") },
    "finding.change.next": { run: () => scrollToHunk(middle.current, 1) },
    "finding.change.previous": { run: () => scrollToHunk(middle.current, -1) },
    ...(fixes.length > 1
      ? {
          "finding.fix": {
            run: (chord: string) => {
              const fix = Number(chord);
              if (fix <= fixes.length) pick(fix);
            },
          },
        }
      : {}),
    ...(flow.length > 0
      ? { "finding.flow.next": { run: () => walk(1) }, "finding.flow.previous": { run: () => walk(-1) } }
      : {}),
  };
  // While a fix is edited, keys do nothing to what stands behind the editor.
  useCommands(edited === undefined ? commands : {});

  const none =
    resolution !== null &&
    resolution.recommended === null &&
    resolution.ending !== "disagreement" &&
    row.status !== "running";
  const names =
    beside !== null
      ? { problem: `Fix ${number}`, fixes: `Fix ${beside}`, why: "What tells them apart" }
      : none
        ? { ...TAB_NAMES, fixes: "Tried", why: "Why none" }
        : TAB_NAMES;
  return (
    <>
      <Headline place={place} view={view} />
      {view.dismissed !== null && <Dismissed dismissal={view.dismissed} />}
      {edited === undefined && (
        <div className={styles.tabs} role="group" aria-label="Columns">
          {TABS.map((tab) => (
            <button
              key={tab}
              type="button"
              aria-pressed={tab === place.tab}
              data-beside={tab === BESIDE[place.tab]}
              onClick={() => showTab(tab)}
            >
              {names[tab]}
            </button>
          ))}
        </div>
      )}
      <div
        className={styles.columns}
        data-tab={place.tab}
        data-editing={edited !== undefined}
        data-comparing={beside !== null}
      >
        <section className={`${styles.column} ${styles.problem}`} aria-labelledby="problem" tabIndex={0}>
          {beside === null || edited !== undefined ? (
            <Problem view={view} step={step} onStep={setStep} />
          ) : (
            <Side fixes={fixes} at={number} id="problem" onPick={pick} />
          )}
        </section>
        {edited !== undefined ? (
          <section className={styles.editing} aria-labelledby="fixes">
            <FixEditor
              finding={row.id}
              fix={edited.id}
              number={fixes.indexOf(edited) + 1}
              onLeave={() => setEditing(null)}
              onChecked={(fix) => {
                setWanted(fix);
                // Another one may be edited by now.
                setEditing((now) => (now === edited.id ? null : now));
              }}
            />
          </section>
        ) : (
          <>
            <section ref={middle} className={`${styles.column} ${styles.fixes}`} aria-labelledby="fixes" tabIndex={0}>
              {beside !== null ? (
                <Side fixes={fixes} at={beside} id="fixes" onPick={pickBeside} />
              ) : none ? (
                <Tried resolution={resolution} chosen={chosen} onPick={pick} onCompare={compare.run} />
              ) : (
                <Fixes view={view} chosen={chosen} onPick={pick} onCompare={compare.run} />
              )}
            </section>
            <section className={`${styles.column} ${styles.why}`} aria-labelledby="why" tabIndex={0}>
              {beside !== null && resolution !== null ? (
                <Apart resolution={resolution} pair={[number, beside]} onEnd={alone} />
              ) : none ? (
                <WhyNone view={view} resolution={resolution} />
              ) : (
                <Why view={view} chosen={chosen} />
              )}
            </section>
          </>
        )}
      </div>
      {edited === undefined && (
        <FindingFooter view={view} chosen={chosen} actions={actions} onNext={visit(neighbours.next)} />
      )}
      {sheet === "preview" && <Preview finding={row.id} onClose={() => setSheet(null)} />}
      {sheet === "dismiss" && <DismissDialog findings={[row.id]} onClose={() => setSheet(null)} />}
    </>
  );
}

/** How far below the edge of the column a hunk counts as the current one, in pixels. */
const EDGE = 60;

function scrollToHunk(column: HTMLElement | null, by: 1 | -1): void {
  if (column === null) return;
  const top = column.getBoundingClientRect().top + EDGE;
  const hunks = [...column.querySelectorAll("[data-hunk]")];
  const at = (hunk: Element) => hunk.getBoundingClientRect().top - top;
  const next = by === 1 ? hunks.find((hunk) => at(hunk) > 1) : hunks.findLast((hunk) => at(hunk) < -1);
  if (next !== undefined) column.scrollBy({ top: at(next) });
}

/**
 * Where one can be, as data: a screen with its parameters, and the address that stands for it.
 *
 * The address lives behind the `#`, so the same page works from any host without a server that knows its paths.
 * Unknown parameters are dropped and bad ones fall back, so a stale address still opens.
 */
import { useSyncExternalStore } from "react";
import type { SavedView, Sort } from "./backend/generated";

export const VIEWS = [
  "needs_you",
  "fix_ready",
  "running",
  "no_safe_fix",
  "fixed",
  "dismissed",
  "suppressed",
  "all",
] as const;
export const SORTS = ["risk", "path", "newest"] as const;
export const TABS = ["problem", "fixes", "why"] as const;

export type Tab = (typeof TABS)[number];

/** What stands beside the list of models; `model` is the one that `at` names, or none yet. */
export const PANES = ["model", "edit", "add", "import", "health", "money", "tiers", "keys", "tools"] as const;

export type Pane = (typeof PANES)[number];

/** Which list one looks at; a finding keeps it, so that going back leads to the same list. */
export type ListPlace = {
  project: string | null;
  view: SavedView;
  query: string;
  sort: Sort;
  group: boolean;
};

/** What runs of `findings` would take; of all open ones where none is named. The limits stand as they were typed. */
export type PlanPlace = {
  screen: "plan";
  findings: readonly string[];
  budget: string;
  most: string;
  at: string | null;
} & ListPlace;

/** Comparisons of `client`, empty for nobody's; `at` is the number of one, or `new`. */
export type ComparePlace = { screen: "compare"; client: string; at: string | null } & ListPlace;

export type Place =
  | ({ screen: "inbox"; at: string | null } & ListPlace)
  | ({ screen: "finding"; finding: string; fix: number; beside: number | null; tab: Tab } & ListPlace)
  | ({ screen: "runs"; at: string | null } & ListPlace)
  | PlanPlace
  | ComparePlace
  | ({ screen: "welcome" } & ListPlace)
  | ({ screen: "policy" } & ListPlace)
  | ({ screen: "providers"; pane: Pane; at: string | null } & ListPlace)
  | ({ screen: "insights" } & ListPlace)
  | ({ screen: "machine" } & ListPlace);

export type Screen = Place["screen"];

export const LIST: ListPlace = { project: null, view: "needs_you", query: "", sort: "risk", group: true };

export function parsePlace(address: string): Place {
  const [path = "", search = ""] = address.replace(/^#?\/?/, "").split("?", 2);
  const get = new URLSearchParams(search);
  const list: ListPlace = {
    project: get.get("project"),
    view: oneOf(VIEWS, get.get("view"), LIST.view),
    query: get.get("q") ?? "",
    sort: oneOf(SORTS, get.get("sort"), LIST.sort),
    group: get.get("group") !== "none",
  };
  const [screen, id] = path.split("/");
  switch (screen) {
    case "finding":
      if (!id) break;
      return {
        screen,
        finding: decodeURIComponent(id),
        fix: numberOf(get.get("fix")) ?? 1,
        beside: numberOf(get.get("beside")),
        tab: oneOf(TABS, get.get("tab"), "fixes"),
        ...list,
      };
    case "runs":
      return { screen, at: get.get("at"), ...list };
    case "plan":
      return {
        screen,
        findings: get.get("of")?.split(",") ?? [],
        budget: get.get("budget") ?? "",
        most: get.get("most") ?? "",
        at: get.get("at"),
        ...list,
      };
    case "compare":
      return { screen, client: get.get("client") ?? "", at: get.get("at"), ...list };
    case "providers":
      return { screen, pane: oneOf(PANES, get.get("pane"), "model"), at: get.get("at"), ...list };
    case "welcome":
    case "policy":
    case "insights":
    case "machine":
      return { screen, ...list };
  }
  return { screen: "inbox", at: get.get("at"), ...list };
}

export function formatPlace(place: Place): string {
  const search = new URLSearchParams();
  const set = (key: string, value: string | null, usual: string | null = null) => {
    if (value !== null && value !== usual) search.set(key, value);
  };
  set("project", place.project);
  set("view", place.view, LIST.view);
  set("q", place.query, "");
  set("sort", place.sort, LIST.sort);
  if (!place.group) set("group", "none");
  if (place.screen === "inbox" || place.screen === "runs") set("at", place.at);
  if (place.screen === "plan") {
    set("of", place.findings.join(","), "");
    set("budget", place.budget, "");
    set("most", place.most, "");
    set("at", place.at);
  }
  if (place.screen === "compare") {
    set("client", place.client, "");
    set("at", place.at);
  }
  if (place.screen === "providers") {
    set("pane", place.pane, "model");
    set("at", place.at);
  }
  if (place.screen === "finding") {
    set("fix", String(place.fix), "1");
    if (place.beside !== null) set("beside", String(place.beside));
    set("tab", place.tab, "fixes");
  }
  const path = place.screen === "finding" ? `finding/${encodeURIComponent(place.finding)}` : place.screen;
  const tail = search.toString();
  return `#/${path}${tail === "" ? "" : `?${tail}`}`;
}

/** Only what says which list it is. */
export function listOf(place: Place): ListPlace {
  const { project, view, query, sort, group } = place;
  return { project, view, query, sort, group };
}

/** The inbox with the list of `place`, the cursor on `at`. */
export function inboxAt(place: Place, at: string | null = null): Place {
  return { screen: "inbox", at, ...listOf(place) };
}

/** The runs, the one of the finding `at` beside them, out of the list of `place`. */
export function runsAt(place: Place, at: string | null = null): Place {
  return { screen: "runs", at, ...listOf(place) };
}

/** What runs of `findings` would take, of all open ones where none is named, out of the list of `place`. */
export function planAt(place: Place, findings: readonly string[] = []): PlanPlace {
  return { screen: "plan", findings, budget: "", most: "", at: null, ...listOf(place) };
}

/** The comparisons of `client`, the one numbered `at` or `new`, out of the list of `place`. */
export function compareAt(place: Place, client: string, at: string | null = null): Place {
  return { screen: "compare", client, at, ...listOf(place) };
}

/** Models and keys, with `pane` beside the list and about `at`, out of the list of `place`. */
export function providersAt(place: Place, pane: Pane = "model", at: string | null = null): Place {
  return { screen: "providers", pane, at, ...listOf(place) };
}

/** The page of `finding`, out of the list of `place`. */
export function findingAt(place: Place, finding: string): Place {
  return { screen: "finding", finding, fix: 1, beside: null, tab: "fixes", ...listOf(place) };
}

/** How long a place that replaces another waits before the address follows, in milliseconds. */
const ADDRESS_MS = 250;

let here: Place | undefined;
let pending: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** Where one is; the same object until one goes elsewhere. */
export function currentPlace(): Place {
  here ??= parsePlace(location.hash);
  return here;
}

/**
 * Goes to `place`; `replace` leaves no step to come back to.
 *
 * A held key moves the cursor faster than web engines let the address change, so a replaced address follows late.
 */
export function go(place: Place, how: "push" | "replace" = "push"): void {
  if (formatPlace(place) === formatPlace(currentPlace())) return;
  if (how === "push") {
    writeAddress();
    history.pushState(null, "", formatPlace(place));
  } else {
    pending ??= setTimeout(writeAddress, ADDRESS_MS);
  }
  here = place;
  tell();
}

function writeAddress(): void {
  clearTimeout(pending);
  pending = undefined;
  const address = formatPlace(currentPlace());
  if (address !== location.hash) history.replaceState(null, "", address);
}

/** The address changed by itself: a link, or the way back. */
function follow(): void {
  clearTimeout(pending);
  pending = undefined;
  here = parsePlace(location.hash);
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener("popstate", follow);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener("popstate", follow);
  };
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, currentPlace);
}

/** A number from 1; `null` for anything else. */
function numberOf(text: string | null): number | null {
  const number = Number.parseInt(text ?? "", 10);
  return number >= 1 ? number : null;
}

function oneOf<T extends string>(known: readonly T[], value: string | null, usual: T): T {
  return known.find((one) => one === value) ?? usual;
}

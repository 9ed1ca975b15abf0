/** Which commands can be run right now, and the one listener that turns keys into them. */
import {
  type ReactNode,
  createContext,
  useContext,
  useLayoutEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import type { Screen } from "../routes";
import { chordOf, isSingleKey } from "./keys";
import { COMMAND_IDS, type CommandId, infoOf } from "./registry";

export type Action = {
  run: (chord: string) => void;
  /** Why it cannot be run; shown instead of running it. */
  disabled?: string | undefined;
};

export type Actions = Partial<Record<CommandId, Action>>;

/** What keys of `screen` say that are pressed before there is something to act on: a key is never swallowed. */
export function notYet(screen: Screen, reason: string): Actions {
  const own = COMMAND_IDS.filter((id) => infoOf(id).screens?.includes(screen));
  return Object.fromEntries(own.map((id) => [id, { run: () => {}, disabled: reason }]));
}

/** How long the second key of a sequence may take from when the first was heard, in milliseconds. */
const SEQUENCE_MS = 1_500;

const SINGLE_KEYS = "conclave.single-keys";

/** The actions of every mounted component; later ones win. */
export class ActiveCommands {
  #layers = new Set<{ current: Actions }>();
  #listeners = new Set<() => void>();
  #report: (reason: string) => void = () => {};

  add(layer: { current: Actions }): () => void {
    this.#layers.add(layer);
    return () => this.#layers.delete(layer);
  }

  /** Says who shows why a command cannot be run. */
  reportTo(report: (reason: string) => void): void {
    this.#report = report;
  }

  /** Runs `action`, or says why it cannot be run. */
  attempt(action: Action, chord = ""): void {
    if (action.disabled === undefined) action.run(chord);
    else this.#report(action.disabled);
  }

  get(id: CommandId): Action | undefined {
    return [...this.#layers].findLast((layer) => layer.current[id] !== undefined)?.current[id];
  }

  all(): { id: CommandId; action: Action }[] {
    return COMMAND_IDS.flatMap((id) => {
      const action = this.get(id);
      return action === undefined ? [] : [{ id, action }];
    });
  }

  run(id: CommandId, chord = ""): void {
    const action = this.get(id);
    if (action !== undefined) this.attempt(action, chord);
  }

  /** Single-letter keys can be turned off (WCAG 2.1.4). */
  get singleKeys(): boolean {
    return localStorage.getItem(SINGLE_KEYS) !== "off";
  }

  toggleSingleKeys(): void {
    localStorage.setItem(SINGLE_KEYS, this.singleKeys ? "off" : "on");
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

const CommandsContext = createContext<ActiveCommands>(new ActiveCommands());

export function useActiveCommands(): ActiveCommands {
  return useContext(CommandsContext);
}

/** Offers `actions` for as long as the component is there. */
export function useCommands(actions: Actions): void {
  const active = useActiveCommands();
  const layer = useRef(actions);
  useLayoutEffect(() => {
    layer.current = actions;
  });
  useLayoutEffect(() => active.add(layer), [active]);
}

export function useSingleKeys(): boolean {
  const active = useActiveCommands();
  return useSyncExternalStore(active.subscribe, () => active.singleKeys);
}

export function CommandsProvider({ children }: { children: ReactNode }) {
  const active = useMemo(() => new ActiveCommands(), []);
  // Before the first paint: what can be seen can be typed at.
  useLayoutEffect(() => listenForKeys(active), [active]);
  return <CommandsContext value={active}>{children}</CommandsContext>;
}

function listenForKeys(active: ActiveCommands): () => void {
  let first: { chord: string; at: number } | undefined;
  const onKeyDown = (event: KeyboardEvent) => {
    const chord = chordOf(event);
    if (chord === null || event.defaultPrevented || event.isComposing) return;
    if (isTaken(event.target, chord)) return;
    // Against when it was pressed: a page that is busy meanwhile breaks no sequence.
    const prefix = first !== undefined && event.timeStamp - first.at < SEQUENCE_MS ? `${first.chord} ` : "";
    const id = find(active, prefix + chord) ?? (prefix === "" ? undefined : find(active, chord));
    first = undefined;
    if (id !== undefined) {
      event.preventDefault();
      active.run(id, chord);
    } else if (startsSequence(active, chord)) {
      first = { chord, at: performance.now() };
    }
  };
  document.addEventListener("keydown", onKeyDown);
  return () => document.removeEventListener("keydown", onKeyDown);
}

function usable(active: ActiveCommands, chord: string): boolean {
  return active.singleKeys || !isSingleKey(chord);
}

function find(active: ActiveCommands, chord: string): CommandId | undefined {
  if (!usable(active, chord)) return undefined;
  return active.all().find(({ id }) => infoOf(id).keys.includes(chord))?.id;
}

function startsSequence(active: ActiveCommands, chord: string): boolean {
  if (!usable(active, chord)) return false;
  return active.all().some(({ id }) => infoOf(id).keys.some((key) => key.startsWith(`${chord} `)));
}

/** Whether the element under the key has its own use for it. */
function isTaken(target: EventTarget | null, chord: string): boolean {
  if (chord.startsWith("Mod+")) return false;
  if (!(target instanceof Element)) return false;
  if (target.closest("input:not([type=checkbox], [type=radio]), textarea, select, dialog, [role=menu]")) return true;
  if (chord === "Enter" || chord === " ") return target.closest("button, a, summary, input") !== null;
  return chord.startsWith("Arrow") && target.closest("[role=radiogroup], [role=tablist]") !== null;
}

/** What the core tells by itself: changed tags become refreshes, progress becomes live text. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useSyncExternalStore } from "react";
import type { RunProgress, Tag } from "../backend/generated";
import { refresh, useBackend } from "./client";

/** How long changes are gathered before the page asks again, in milliseconds. */
const GATHER_MS = 50;

/** The last progress of every run this page has heard of. */
export class ProgressStore {
  #runs = new Map<string, RunProgress>();
  #listeners = new Set<() => void>();

  /** Takes `progress`; true when its finding was not known to run. */
  put(progress: RunProgress): boolean {
    const first = !this.#runs.has(progress.finding);
    this.#runs.set(progress.finding, progress);
    this.#tell();
    return first;
  }

  get(finding: string): RunProgress | undefined {
    return this.#runs.get(finding);
  }

  clear(): void {
    if (this.#runs.size === 0) return;
    this.#runs.clear();
    this.#tell();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const ProgressContext = createContext(new ProgressStore());

/** The live progress of `finding`, if one was heard. */
export function useProgress(finding: string | undefined): RunProgress | undefined {
  const store = useContext(ProgressContext);
  return useSyncExternalStore(store.subscribe, () => (finding === undefined ? undefined : store.get(finding)));
}

/**
 * Gathers changed tags for a moment and hands them to `ask`; the next ones wait until that has its answers.
 *
 * A second refresh would throw the first one's answers away: while changes come faster than answers, nothing would show.
 */
export function gathering(ask: (changed: readonly Tag[]) => Promise<void>): {
  add: (changed: readonly Tag[]) => void;
  stop: () => void;
} {
  const pending = new Set<Tag>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = false;
  let stopped = false;
  const flush = async () => {
    timer = undefined;
    const changed = [...pending];
    pending.clear();
    asking = true;
    await ask(changed);
    asking = false;
    if (pending.size > 0) start();
  };
  const start = () => {
    if (!asking && !stopped) timer ??= setTimeout(() => void flush(), GATHER_MS);
  };
  return {
    add(changed) {
      for (const tag of changed) pending.add(tag);
      start();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Listens for as long as the page lives. */
export function useEvents(): void {
  const backend = useBackend();
  const client = useQueryClient();
  const store = useContext(ProgressContext);
  useEffect(() => {
    const gather = gathering((changed) => refresh(client, changed));
    const stop = backend.subscribe((event) => {
      switch (event.kind) {
        case "changed":
          return gather.add(event.tags);
        case "run":
          // A run that the page did not know of: its row and the counts are out of date.
          return store.put(event.progress) ? gather.add(["findings", "runs"]) : undefined;
      }
    });
    return () => {
      stop();
      gather.stop();
    };
  }, [backend, client, store]);
}

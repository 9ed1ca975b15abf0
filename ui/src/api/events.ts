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

/** Listens for as long as the page lives. */
export function useEvents(): void {
  const backend = useBackend();
  const client = useQueryClient();
  const store = useContext(ProgressContext);
  useEffect(() => {
    const pending = new Set<Tag>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const changed = [...pending];
      pending.clear();
      void refresh(client, changed);
    };
    const gather = (changed: readonly Tag[]) => {
      for (const tag of changed) pending.add(tag);
      timer ??= setTimeout(flush, GATHER_MS);
    };
    const stop = backend.subscribe((event) => {
      switch (event.kind) {
        case "changed":
          return gather(event.tags);
        case "run":
          // A run that the page did not know of: its row and the counts are out of date.
          return store.put(event.progress) ? gather(["findings", "runs"]) : undefined;
      }
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [backend, client, store]);
}

/** What the core tells by itself: changed tags become refreshes, the rest is kept for whoever shows it. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useSyncExternalStore } from "react";
import type { RunProgress, Tag } from "../backend/generated";
import { refresh, useBackend } from "./client";
import { RunLog, type RunRecord } from "./run-log";

/** How long changes are gathered before the page asks again, in milliseconds. */
const GATHER_MS = 50;

const RunLogContext = createContext(new RunLog());

/** The live progress of `finding`, if one was heard. */
export function useProgress(finding: string): RunProgress | undefined {
  const log = useContext(RunLogContext);
  return useSyncExternalStore(log.subscribe, () => log.get(finding)?.progress);
}

/** What was heard of the run of `finding`, if anything was. */
export function useRun(finding: string): RunRecord | undefined {
  const log = useContext(RunLogContext);
  return useSyncExternalStore(log.subscribe, () => log.get(finding));
}

/** Every run that was heard of, the latest first. */
export function useRuns(): readonly RunRecord[] {
  const log = useContext(RunLogContext);
  return useSyncExternalStore(log.subscribe, () => log.all());
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
  const log = useContext(RunLogContext);
  useEffect(() => {
    const gather = gathering((changed) => refresh(client, changed));
    const stop = backend.subscribe((event) => {
      switch (event.kind) {
        case "changed":
          return gather.add(event.tags);
        case "run":
          // A run that the page did not know of: its row and the counts are out of date.
          return log.put(event.progress, Date.now()) ? gather.add(["findings", "runs"]) : undefined;
        case "delta":
          return log.hear(event, Date.now());
        case "tool":
          return log.use(event, Date.now());
      }
    });
    return () => {
      stop();
      gather.stop();
    };
  }, [backend, client, log]);
}

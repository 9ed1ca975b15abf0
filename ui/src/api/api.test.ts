import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import { type Tag, tags } from "../backend/generated";
import { provides, refresh } from "./client";
import { gathering } from "./events";

test("a change refreshes the answers that provide its tags, and no others", async () => {
  const client = new QueryClient();
  const keys = [
    ["get_status", {}],
    ["list_findings", { view: "all" }],
    ["get_doctor", {}],
  ];
  for (const key of keys) client.setQueryData(key, 1);
  await refresh(client, ["runs"]);
  const stale = keys.filter((key) => client.getQueryState(key)?.isInvalidated).map(([name]) => name);
  expect(stale).toEqual(["get_status"]);
});

test("every mutation refreshes at least one query", () => {
  const queries = ["get_status", "list_projects", "list_findings", "get_finding", "verify_ledger"];
  const mutations = [
    "add_project",
    "open_demo",
    "import_sarif",
    "scan_project",
    "run_fix",
    "cancel_runs",
    "apply_fix",
    "undo_fix",
  ] as const;
  for (const mutation of mutations) expect(queries.filter((query) => provides(query, tags[mutation]))).not.toEqual([]);
});

test("changes that come while the page asks are asked for after its answers, together", async () => {
  vi.useFakeTimers();
  const asked: (readonly Tag[])[] = [];
  const answers: (() => void)[] = [];
  const changes = gathering((changed) => {
    asked.push(changed);
    return new Promise((done) => answers.push(done));
  });
  changes.add(["runs"]);
  changes.add(["findings", "runs"]);
  await vi.runAllTimersAsync();
  expect(asked).toEqual([["runs", "findings"]]);

  changes.add(["ledger"]);
  changes.add(["asks"]);
  await vi.runAllTimersAsync();
  expect(asked).toHaveLength(1);
  answers[0]?.();
  await vi.runAllTimersAsync();
  expect(asked.slice(1)).toEqual([["ledger", "asks"]]);

  changes.add(["keys"]);
  changes.stop();
  answers[1]?.();
  await vi.runAllTimersAsync();
  expect(asked).toHaveLength(2);
  vi.useRealTimers();
});

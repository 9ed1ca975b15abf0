/**
 * A window on a list that may be very long: pages are fetched as they come into sight, by the cursor of the one before.
 *
 * Pages out of sight are forgotten after a while; their cursors are kept, so that going back needs no walk.
 */
import { type UseQueryResult, useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiError, FindingPage, FindingRow, ListFindings, ViewCounts } from "../backend/generated";
import { useBackend } from "./client";

/** Rows in a page; a list that fits into one can be grouped. */
export const PAGE = 500;

type FindingWindow = {
  total: number;
  counts: ViewCounts | null;
  /** The row at `index`, if its page is there. */
  rowAt: (index: number) => FindingRow | undefined;
  /** All rows, where the list fits into one page; else `null`. */
  all: readonly FindingRow[] | null;
  ready: boolean;
  /** False while the rows are those of the last request. */
  fresh: boolean;
  error: ApiError | null;
  retry: () => void;
};

/** Asks for the counts of `project`, and the first of its findings. */
export function everyFinding(project: string): ListFindings {
  return { project, view: "all", query: "", sort: "risk", cursor: null, limit: 1 };
}

/** Cursors by page number, for one request. */
type Chain = { key: string; cursors: (string | null)[] };

/** `visible` are the numbers of rows that are looked at: the first and the last in sight, and the one under the cursor. */
export function useFindingWindow(
  request: Omit<ListFindings, "cursor" | "limit">,
  visible: readonly number[],
): FindingWindow {
  const backend = useBackend();
  const key = JSON.stringify(request);
  const [stored, setChain] = useState<Chain>({ key, cursors: [null] });
  const chain = stored.key === key ? stored : { key, cursors: [null] };

  const query = (page: number) => {
    const payload: ListFindings = { ...request, cursor: chain.cursors[page] ?? null, limit: PAGE };
    return {
      queryKey: ["list_findings", payload] as const,
      queryFn: (): Promise<FindingPage> => backend.call("list_findings", payload),
    };
  };
  const pages = pagesToFetch(visible, chain.cursors.length);
  // The first page stays in sight while the same view is filtered or sorted anew. A query of its own: several at once
  // keep nothing.
  const head = useQuery<FindingPage, ApiError, FindingPage, ReturnType<typeof query>["queryKey"]>({
    ...query(0),
    placeholderData: (page, last) => (last?.queryKey[1].view === request.view ? page : undefined),
  });
  const others = useQueries({ queries: pages.slice(1).map(query) }) as UseQueryResult<FindingPage, ApiError>[];
  const results = [head, ...others];

  const known = extend(chain, pages, results);
  if (known !== stored) setChain(known);

  const first = head.data;
  return {
    total: first?.total ?? 0,
    counts: first?.counts ?? null,
    rowAt: (index) => results[pages.indexOf(Math.floor(index / PAGE))]?.data?.items[index % PAGE],
    all: first !== undefined && first.next_cursor === null ? first.items : null,
    ready: first !== undefined,
    fresh: first !== undefined && !head.isPlaceholderData,
    error: results.find((result) => result.error !== null)?.error ?? null,
    retry: () => {
      for (const result of results) if (result.error !== null) void result.refetch();
    },
  };
}

/** The first page, those of the `visible` rows, and the last one with a known cursor where the way there is not known. */
export function pagesToFetch(visible: readonly number[], known: number): number[] {
  const pages = visible.map((row) => Math.min(Math.floor(Math.max(0, row) / PAGE), known - 1));
  return [...new Set([0, ...pages])].toSorted((a, b) => a - b);
}

function extend(
  chain: Chain,
  pages: readonly number[],
  results: readonly UseQueryResult<FindingPage, ApiError>[],
): Chain {
  let { cursors } = chain;
  for (const [index, page] of pages.entries()) {
    const result = results[index];
    const next = result?.isPlaceholderData === false ? result.data?.next_cursor : undefined;
    if (next === undefined || next === null || cursors[page + 1] === next) continue;
    // A page that ends elsewhere than before moves all that follow it.
    cursors = [...cursors.slice(0, page + 1), next];
  }
  return cursors === chain.cursors ? chain : { ...chain, cursors };
}

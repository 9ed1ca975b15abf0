/** Queries and mutations over the backend; cache keys are `[command, payload]`, refreshes follow the core's tags. */
import { QueryClient, keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext } from "react";
import type { Backend, Mutation, Query, Request, Response } from "../backend/backend";
import type { ApiError, Tag } from "../backend/generated";
import { tags } from "../backend/generated";

export const BackendContext = createContext<Backend | null>(null);

export function useBackend(): Backend {
  const backend = useContext(BackendContext);
  if (backend === null) throw new Error("no backend around this component");
  return backend;
}

/**
 * Nothing goes stale by itself: the core says when something changed.
 *
 * The core is on this machine, so whether there is a network decides nothing: without `always`, no call would leave
 * the page from when the system says that it is offline.
 */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 60_000,
        retry: false,
        refetchOnWindowFocus: false,
        networkMode: "always",
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}

/** The answer to `command`; the previous one stays visible while another is on its way. */
export function useCommand<C extends Query>(command: C, payload: Request<C>, enabled = true) {
  return useQuery<Response<C>, ApiError>({ ...commandOptions(useBackend(), command, payload), enabled });
}

export function commandOptions<C extends Query>(backend: Backend, command: C, payload: Request<C>) {
  return {
    queryKey: [command, payload] as const,
    queryFn: () => backend.call(command, payload),
    placeholderData: keepPreviousData,
  };
}

/** What to do with how a change ended. */
export type Ended<C extends Mutation> = {
  onSuccess?: (response: Response<C>) => void;
  onError?: (error: ApiError) => void;
};

/**
 * Runs `command` and refreshes what it touches; pending until that is on the page.
 *
 * How it ended is told once for every call, before the refresh, which may take its time, and also when the component
 * that asked has gone. Callbacks given to TanStack's own `mutate` are told to the last call of a living component only.
 */
export function useChange<C extends Mutation>(command: C) {
  const backend = useBackend();
  const client = useQueryClient();
  const { mutate, isPending, error } = useMutation<Response<C>, ApiError, { payload: Request<C>; ended: Ended<C> }>({
    mutationKey: [command],
    mutationFn: ({ payload }) => backend.call(command, payload),
    onSuccess: (response, { ended }) => ended.onSuccess?.(response),
    onError: (failure, { ended }) => ended.onError?.(failure),
    onSettled: () => refresh(client, tags[command]),
  });
  const run = useCallback((payload: Request<C>, ended: Ended<C> = {}) => mutate({ payload, ended }), [mutate]);
  return { mutate: run, isPending, error };
}

/** Fetches again every visible answer that provides one of `changed`, and forgets the others. */
export function refresh(client: QueryClient, changed: readonly Tag[]): Promise<void> {
  return client.invalidateQueries({ predicate: ({ queryKey }) => provides(queryKey[0], changed) });
}

export function provides(command: unknown, changed: readonly Tag[]): boolean {
  const provided: readonly Tag[] = tags[command as Query] ?? [];
  return provided.some((tag) => changed.includes(tag));
}

/** Queries and mutations over the backend; cache keys are `[command, payload]`, refreshes follow the core's tags. */
import { QueryClient, keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { Backend, Mutation, Query, Request, Response } from "../backend/backend";
import type { ApiError, Tag } from "../backend/generated";
import { tags } from "../backend/generated";

export const BackendContext = createContext<Backend | null>(null);

export function useBackend(): Backend {
  const backend = useContext(BackendContext);
  if (backend === null) throw new Error("no backend around this component");
  return backend;
}

/** Nothing goes stale by itself: the core says when something changed. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: Number.POSITIVE_INFINITY, gcTime: 60_000, retry: false, refetchOnWindowFocus: false },
      mutations: { retry: false },
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

/** Runs `command`, then refreshes what it touches. */
export function useChange<C extends Mutation>(command: C) {
  const backend = useBackend();
  const client = useQueryClient();
  return useMutation<Response<C>, ApiError, Request<C>>({
    mutationKey: [command],
    mutationFn: (payload) => backend.call(command, payload),
    onSettled: () => refresh(client, tags[command]),
  });
}

/** Fetches again every visible answer that provides one of `changed`, and forgets the others. */
export function refresh(client: QueryClient, changed: readonly Tag[]): Promise<void> {
  return client.invalidateQueries({ predicate: ({ queryKey }) => provides(queryKey[0], changed) });
}

export function provides(command: unknown, changed: readonly Tag[]): boolean {
  const provided: readonly Tag[] = tags[command as Query] ?? [];
  return provided.some((tag) => changed.includes(tag));
}

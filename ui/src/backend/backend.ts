/**
 * The way from the page to the core: calls, events and dropped files.
 *
 * There are two, `tauri.ts` in the window and `bridge.ts` in a browser under test. Neither makes up an answer.
 */
import type { ApiError, CommandMap, Event } from "./generated";

export type Command = keyof CommandMap;
export type Request<C extends Command> = CommandMap[C]["request"];
export type Response<C extends Command> = CommandMap[C]["response"];
export type Query = { [C in Command]: CommandMap[C]["kind"] extends "query" ? C : never }[Command];
export type Mutation = Exclude<Command, Query>;

/** Files held over the window, or let go on it. */
export type Drop = { kind: "over" } | { kind: "leave" } | { kind: "drop"; paths: string[] };

export type Unsubscribe = () => void;

export interface Backend {
  /** Runs a command; rejects with an `ApiError`, never with anything else. */
  call<C extends Command>(command: C, payload: Request<C>): Promise<Response<C>>;
  /** Hears what the core tells without being asked. */
  subscribe(listener: (event: Event) => void): Unsubscribe;
  /** Hears of files dragged onto the window. */
  onFilesDropped(listener: (drop: Drop) => void): Unsubscribe;
}

function isApiError(value: unknown): value is ApiError {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}

/** An `ApiError` for whatever was thrown. */
export function toApiError(value: unknown): ApiError {
  if (isApiError(value)) return value;
  const details = value instanceof Error ? `${value.name}: ${value.message}` : String(value);
  return { code: "internal", message: "the core did not answer as it should", hint: null, details };
}

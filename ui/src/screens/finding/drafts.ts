/** Versions of fixes that are being written: what was typed, and what of it is being checked. It outlives the editor. */

/** What was typed, by file. */
export type Draft = Readonly<Record<string, string>>;

/** What was typed and not checked yet, by finding and fix. */
const drafts = new Map<string, Draft>();
/** What was sent to be checked, by finding and fix; `undefined` where nothing was typed. */
const sent = new Map<string, Draft | undefined>();
const listeners = new Set<() => void>();

export const draftKey = (finding: string, fix: string) => `${finding} ${fix}`;

export function draftOf(key: string): Draft | undefined {
  return drafts.get(key);
}

/** Keeps `draft`, or nothing where it is `null`. */
export function keepDraft(key: string, draft: Draft | null) {
  if (draft === null) drafts.delete(key);
  else drafts.set(key, draft);
}

export function isBeingChecked(key: string): boolean {
  return sent.has(key);
}

/** What is kept is being checked from now on. */
export function beginCheck(key: string) {
  sent.set(key, drafts.get(key));
  for (const listener of listeners) listener();
}

/** It is not being checked any more; what has become a version is no draft, unless it was changed meanwhile. */
export function endCheck(key: string, isVersion: boolean) {
  if (isVersion && drafts.get(key) === sent.get(key)) drafts.delete(key);
  sent.delete(key);
  for (const listener of listeners) listener();
}

/** Hears that a check begins or ends, until what it returns is called. */
export function onCheck(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

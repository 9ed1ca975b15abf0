/** The filter as text and as chips: `severity:high rule:B602 words`. Pure. */

const FILTER_KEYS = ["severity", "rule", "path", "tool"] as const;

export type Chip = { key: string; value: string };

const TOKEN = new RegExp(`^(${FILTER_KEYS.join("|")}):(\\S+)$`, "i");

/** Takes a query apart; what is no `key:value` of ours stays words. */
export function splitQuery(query: string): { chips: Chip[]; words: string } {
  const chips: Chip[] = [];
  const words: string[] = [];
  for (const token of query.split(/\s+/).filter(Boolean)) {
    const [, key, value] = TOKEN.exec(token) ?? [];
    if (key !== undefined && value !== undefined) chips.push({ key: key.toLowerCase(), value });
    else words.push(token);
  }
  return { chips, words: words.join(" ") };
}

export function joinQuery(chips: readonly Chip[], words: string): string {
  const tokens = chips.map(({ key, value }) => `${key}:${value}`);
  return [...new Set(tokens), ...words.split(/\s+/).filter(Boolean)].join(" ");
}

/** What becomes of typed text: tokens followed by a space are finished and move to the chips. */
export function takeFinished(typed: string): { finished: Chip[]; rest: string } {
  const end = typed.lastIndexOf(" ");
  if (end < 0) return { finished: [], rest: typed };
  const { chips, words } = splitQuery(typed.slice(0, end));
  if (chips.length === 0) return { finished: [], rest: typed };
  return { finished: chips, rest: [words, typed.slice(end + 1)].filter((part) => part !== "").join(" ") };
}

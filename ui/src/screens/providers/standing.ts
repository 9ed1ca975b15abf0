/** How a model stands, in a shape and a word, and what that rests on. Pure. */
import type { ModelHealth, ModelRow } from "../../backend/generated";
import type { MarkName } from "../../components/mark";
import { duration } from "../../format";

export type Standing = { mark: MarkName; tone: "pass" | "flaky" | "fail" | "unknown" | "unavailable"; word: string };

const STANDINGS = {
  ok: { mark: "pass", tone: "pass", word: "OK" },
  degraded: { mark: "flaky", tone: "flaky", word: "Degraded" },
  down: { mark: "fail", tone: "fail", word: "Down" },
  untried: { mark: "not_run", tone: "unknown", word: "Not tried" },
  off: { mark: "not_available", tone: "unavailable", word: "Off" },
} as const satisfies Record<string, Standing>;

/** A model that is off is off, whatever was found when it was last looked at. */
export function standingOf({ enabled, health }: Pick<ModelRow, "enabled" | "health">): Standing {
  return STANDINGS[enabled ? (health?.state ?? "untried") : "off"];
}

/** Which part of the list a model stands in. */
export type Group = "asked" | "trial" | "off";

export function groupOf({ enabled, trial }: Pick<ModelRow, "enabled" | "trial">): Group {
  return enabled ? (trial ? "trial" : "asked") : "off";
}

export const GROUPS: Record<Group, string> = {
  asked: "Asked in this order",
  trial: "Tried out: asked beside the others, never used",
  off: "Off",
};

/** The models that the list shows, group by group; the client's model only where it is asked. */
export function grouped(models: readonly ModelRow[]): [Group, ModelRow[]][] {
  const shown = models.filter(({ kind, enabled }) => kind !== "mcp_sampling" || enabled);
  return (Object.keys(GROUPS) as Group[])
    .map((group): [Group, ModelRow[]] => [group, shown.filter((row) => groupOf(row) === group)])
    .filter(([, rows]) => rows.length > 0);
}

/**
 * All names with `name` one place further up or down among the models that are asked; `null` where there is no further.
 *
 * Models that are off or tried out keep their places in the settings, so what it changes places with may be far away.
 */
export function moved(models: readonly ModelRow[], name: string, by: -1 | 1): string[] | null {
  const asked = models.filter((row) => groupOf(row) === "asked").map((row) => row.name);
  const other = asked[asked.indexOf(name) + by];
  if (!asked.includes(name) || other === undefined) return null;
  return models.map((row) => (row.name === name ? other : row.name === other ? name : row.name));
}

/** `1.2 s, usually 0.8 s`; what is not known is not said. */
export function timeWords(health: Pick<ModelHealth, "latest_ms" | "usual_ms"> | null): string | null {
  if (health?.latest_ms == null) return null;
  const latest = duration(health.latest_ms);
  return health.usual_ms === null ? latest : `${latest}, usually ${duration(health.usual_ms)}`;
}

/** `rests for 12 s`, while it is left alone. */
export function restWords(health: Pick<ModelHealth, "breaker" | "rests_until"> | null, now: number): string | null {
  const left = health?.rests_until == null ? 0 : health.rests_until - now;
  return health?.breaker === "open" && left > 0 ? `rests for ${Math.ceil(left / 1000)} s` : null;
}

/** What the breaker does, in words. Once its rest is over the next question decides, whatever it was when it was seen. */
export function breakerWords(health: Pick<ModelHealth, "breaker" | "rests_until">, now: number): string {
  if (health.breaker === "closed") return "asked again at once";
  const rests = restWords(health, now);
  return rests === null
    ? "the next question decides whether it is asked again"
    : `it ${rests}, then one question decides`;
}

/** Whether what it is asked leaves this machine; unknown counts as leaving. */
export function leaves({ class: where }: Pick<ModelRow, "class">): boolean {
  return where === "hosted";
}

/** Where it runs, as far as that is known. */
export function whereWords(row: Pick<ModelRow, "class" | "class_known">): string {
  if (!leaves(row)) return "Runs here";
  return row.class_known ? "Leaves this machine" : "Counts as leaving";
}

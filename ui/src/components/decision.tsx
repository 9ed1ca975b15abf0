/** What a rule says, as a shape with its word. */
import type { Effect, ReviewView, RuleLayer } from "../backend/generated";
import { Mark } from "./mark";
import styles from "./words.module.css";

const TONES: Record<Effect, string> = { allow: "done", sample: "flaky", deny: "fail" };
const WORDS: Record<Effect, string> = { allow: "Allow", sample: "Sample", deny: "Deny" };

export function effectWord(effect: Effect): string {
  return WORDS[effect];
}

export function Decision({ effect, review = null }: { effect: Effect; review?: ReviewView | null }) {
  const word = review === null ? WORDS[effect] : `Sample, ${effect === "allow" ? "allowed" : "denied"}`;
  const shown = review === null ? effect : "sample";
  return (
    <span className={`${styles.word} ${styles[TONES[shown]]}`}>
      <Mark name={shown} />
      {word}
    </span>
  );
}

const LAYERS: Record<RuleLayer, string> = {
  floor: "Built in, cannot be widened",
  admin: "This machine\u2019s administrator",
  user: "Yours",
  project: "Project",
};

export function layerWords(layer: RuleLayer): string {
  return LAYERS[layer];
}

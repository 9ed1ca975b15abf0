/** What a model costs, as three amounts in one line: the list's until somebody changes one. */
import { useId, useState } from "react";
import type { KnownModel, ModelPrice } from "../../backend/generated";
import { Prose } from "../../components/prose";
import { parseMoney, typed } from "../../money";
import styles from "./form.module.css";
import { isOfTheList, longWords } from "./known";

const PARTS = {
  input: "read",
  output: "written",
  cached: "from its cache",
} as const;

type Part = keyof typeof PARTS;
type Amounts = Record<Part, string>;

const NONE: Amounts = { input: "", output: "", cached: "" };

function amountsOf({ input, output, cached }: ModelPrice): Amounts {
  return { input: typed(input), output: typed(output), cached: typed(cached) };
}

/** What the amounts say: a price, none (`null`), or what is wrong with them. */
function said({ input, output, cached }: Amounts): { price: ModelPrice | null } | { wrong: string } {
  const [read, written, again] = [parseMoney(input), parseMoney(output), parseMoney(cached)];
  if (read === undefined || written === undefined || again === undefined) {
    return { wrong: "An amount is in dollars, such as 1.50" };
  }
  if (read === null && written === null && again === null) return { price: null };
  if (read === null || written === null) return { wrong: "A price needs what is read and what is written" };
  return { price: { input: read, output: written, cached: again } };
}

export function PriceFields({
  price,
  known,
  onChange,
}: {
  /** The person's own price; `null` follows the list. */
  price: ModelPrice | null;
  /** What the list has of the model. */
  known: KnownModel | undefined;
  /** Hears the price, and what is wrong with it. */
  onChange: (price: ModelPrice | null, wrong: string | null) => void;
}) {
  const id = useId();
  const listed = known?.price ?? null;
  // Until one of them is changed they are what the list says, whichever model is chosen.
  const [changed, setChanged] = useState<Amounts | null>(price === null ? null : amountsOf(price));
  const shown = changed ?? (listed === null ? NONE : amountsOf(listed));
  const now = said(shown);
  const change = (next: Amounts | null) => {
    setChanged(next);
    if (next === null) return onChange(null, null);
    const says = said(next);
    if ("wrong" in says) return onChange(price, says.wrong);
    onChange(isOfTheList(says.price, known) ? null : says.price, null);
  };
  return (
    <div className={styles.group} role="group" aria-labelledby={id} aria-describedby={`${id}-note`}>
      <span id={id}>Price</span>
      <span className={styles.amounts}>
        {(Object.keys(PARTS) as Part[]).map((part) => (
          <label key={part}>
            <span aria-hidden="true">$</span>
            <input
              type="text"
              inputMode="decimal"
              autoComplete="off"
              aria-label={`A million tokens ${PARTS[part]}, in dollars`}
              aria-invalid={parseMoney(shown[part]) === undefined}
              placeholder={part === "cached" && shown.input !== "" ? shown.input : "unknown"}
              value={shown[part]}
              onChange={(event) => change({ ...shown, [part]: event.target.value })}
            />
            <span aria-hidden="true">{PARTS[part]}</span>
          </label>
        ))}
      </span>
      <p id={`${id}-note`} className={styles.note}>
        {"wrong" in now ? (
          `${now.wrong}.`
        ) : now.price === null ? (
          "Unknown. Under a limit a model of unknown price is not asked; it is never taken as free."
        ) : isOfTheList(now.price, known) ? (
          <Prose
            text={`For a million tokens, as public lists had it on ${listed?.dated ?? "no known day"}.${longWords(listed)}`}
          />
        ) : (
          <>
            For a million tokens, as you set it.{" "}
            {listed !== null && (
              <button type="button" className={styles.link} onClick={() => change(null)}>
                <Prose text={`Take the list’s of ${listed.dated ?? "no known day"}`} />
              </button>
            )}
          </>
        )}
      </p>
    </div>
  );
}

/** What narrows a plan: what all together may cost, and how many findings at most. */
import type { RefObject } from "react";
import { Field } from "../../components/field";
import { KeysOf } from "../../components/kbd";
import { parseMoney } from "../../money";
import type { PlanPlace } from "../../routes";
import styles from "./plan.module.css";
import { parseMost } from "./words";

export function Limits({
  place,
  budget,
  most,
  onChange,
}: {
  place: PlanPlace;
  budget: RefObject<HTMLInputElement | null>;
  most: RefObject<HTMLInputElement | null>;
  onChange: (to: Partial<PlanPlace>) => void;
}) {
  return (
    <form
      className={styles.limits}
      aria-label="Limits"
      onSubmit={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key !== "Escape" && event.key !== "Enter") return;
        event.preventDefault();
        if (event.target instanceof HTMLElement) event.target.blur();
      }}
    >
      <Field
        ref={budget}
        label="Budget"
        inputMode="decimal"
        placeholder="no limit"
        value={place.budget}
        fault={parseMoney(place.budget) === undefined ? "an amount in dollars, as in 1.50" : null}
        note={
          <>
            One question to each seat stays within it. <KeysOf command="plan.budget" />
          </>
        }
        onChange={(event) => onChange({ budget: event.target.value })}
      />
      <Field
        ref={most}
        label="At most"
        inputMode="numeric"
        placeholder="all of them"
        value={place.most}
        fault={parseMost(place.most) === undefined ? "a number of findings, as in 20" : null}
        note={
          <>
            The most severe come first. <KeysOf command="plan.most" />
          </>
        }
        onChange={(event) => onChange({ most: event.target.value })}
      />
    </form>
  );
}

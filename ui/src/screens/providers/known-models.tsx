/** The known models of a host to choose from, and what is to be said of the one that is typed. */
import type { KnownHost, KnownModelList } from "../../backend/generated";
import { Button } from "../../components/button";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { sentence } from "../../format";
import { useId } from "react";
import styles from "./form.module.css";
import { modelAt, offeredBy, priceWords, strengthWords } from "./known";

export function KnownModels({
  known,
  host,
  model,
  onChoose,
}: {
  known: KnownModelList;
  host: KnownHost;
  model: string;
  onChoose: (model: string) => void;
}) {
  const name = useId();
  const offered = offeredBy(known, host.id);
  const chosen = modelAt(known, host.id, model);
  if (offered.length === 0) {
    return <p className={styles.beside}>Conclave knows no model of {host.title}, so none of their prices.</p>;
  }
  return (
    <div className={styles.beside}>
      <div className={styles.choices} role="radiogroup" aria-label={`Known at ${host.title}`}>
        <div className={styles.heads} aria-hidden="true">
          <span>Known at {host.title}</span>
          <span>read / written, a million tokens</span>
        </div>
        {offered.map((one) => (
          <label key={one.id}>
            <input
              type="radio"
              name={name}
              checked={chosen?.id === one.id}
              onChange={() => onChoose(one.id)}
              aria-label={`${one.id}, ${strengthWords(known, one) || "no strength known"}, price ${priceWords(one)}`}
            />
            <code className="cut">{one.id}</code>
            <span className="cut">{one.remark === null ? strengthWords(known, one) : "is retired soon"}</span>
            <span>{priceWords(one)}</span>
          </label>
        ))}
      </div>
      <div role="status">
        {model.trim() !== "" && chosen === undefined && (
          <p>
            Conclave does not know <code>{model.trim()}</code> and what it costs. It can be asked all the same.
          </p>
        )}
        {chosen?.remark != null && (
          <p className={styles.warning}>
            <Mark name="flaky" size={12} />
            <span>
              <Prose text={sentence(chosen.remark)} />
            </span>
            {chosen.successor !== null && (
              <Button onClick={() => onChoose(chosen.successor ?? "")}>Take {chosen.successor}</Button>
            )}
          </p>
        )}
      </div>
    </div>
  );
}

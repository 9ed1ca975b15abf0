/** The rules in effect, layer by layer in the order in which they are tried; one opens to show what it is about. */
import { useState } from "react";
import type { PolicyView, RuleView } from "../../backend/generated";
import columns from "../../components/columns.module.css";
import { Decision, layerWords } from "../../components/decision";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { sentence } from "../../format";
import styles from "./rules.module.css";

export function Rules({ policy }: { policy: PolicyView }) {
  const groups = new Map<string, RuleView[]>();
  for (const rule of policy.rules) {
    const words = originWords(rule);
    groups.set(words, [...(groups.get(words) ?? []), rule]);
  }
  const faults = policy.files.filter(({ fault, warnings }) => fault !== null || warnings.length > 0);
  return (
    <div className={columns.scroll} tabIndex={0} role="region" aria-label="Rules">
      {faults.map((file) => (
        <div key={`${file.layer} ${file.origin}`} className={styles.fault}>
          <Mark name={file.fault === null ? "info" : "fail"} />
          <div>
            {file.path !== null && <code className="path">{file.path}</code>}
            {[file.fault, ...file.warnings].map(
              (text) =>
                text !== null && (
                  <p key={text}>
                    <Prose text={sentence(text)} />
                  </p>
                ),
            )}
          </div>
        </div>
      ))}
      <div className={styles.head}>
        <span>Decision</span>
        <span>What, and why</span>
        <span>hits, 7 days</span>
      </div>
      {[...groups].map(([words, rules]) => (
        <section key={words} aria-label={words}>
          <h2 className={styles.layer}>{words}</h2>
          <ul>
            {rules.map((rule) => (
              <Rule key={rule.id} rule={rule} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function originWords({ layer, origin }: RuleView): string {
  if (layer === "project") return `Project ${origin}`;
  return layer === "user" && origin !== "yours" ? "Shipped, until a rule of yours says otherwise" : layerWords(layer);
}

function Rule({ rule }: { rule: RuleView }) {
  const [open, setOpen] = useState(false);
  return (
    <li className={styles.rule} data-open={open} data-enabled={rule.enabled}>
      <button type="button" className={styles.row} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Decision effect={rule.action} />
        <span className={styles.what}>
          <span className="cut">
            <span className="faint">{rule.priority}</span> <code>{rule.id}</code>
            {!rule.enabled && <span className="faint"> switched off</span>}
          </span>
          <span className={`${styles.why} cut`}>
            <Prose text={sentence(rule.reason)} />
          </span>
        </span>
        <span className={styles.hits}>{rule.hits_7d}</span>
      </button>
      {open && (
        <div className={styles.more}>
          <dl>
            <dt>When</dt>
            <dd>
              {rule.conditions.length === 0
                ? "always"
                : rule.conditions.map((text) => (
                    <p key={text}>
                      <Prose text={text} />
                    </p>
                  ))}
            </dd>
            {rule.guidance !== null && (
              <>
                <dt>Look at</dt>
                <dd>{rule.guidance}</dd>
              </>
            )}
            {rule.provider !== null && (
              <>
                <dt>Asked first</dt>
                <dd>{rule.provider}</dd>
              </>
            )}
          </dl>
          {rule.examples.length > 0 && (
            <ul className={styles.examples} aria-label="Examples">
              {rule.examples.map(({ text, matches }) => (
                <li key={text}>
                  <Mark name={matches ? "tick" : "close"} size={12} />
                  <code className="path">{text}</code>
                  <span className="faint">{matches ? "matches" : "does not match"}</span>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </li>
  );
}

/** An error as four things: what happened, what it means for the findings, what to do next, and a detail to copy. */
import { useState } from "react";
import type { ApiError } from "../backend/generated";
import { copyText } from "../clipboard";
import { sentence } from "../format";
import { Button } from "./button";
import styles from "./error-note.module.css";
import { Mark } from "./mark";
import { Prose } from "./prose";

/** What an error means for what is on the screen. */
const MEANING: Record<ApiError["code"], string> = {
  bad_request: "Nothing was changed.",
  not_found: "Nothing was changed; what you look at may be out of date.",
  denied: "The policy denied it, so nothing was done.",
  changed: "Nothing was written: the fix was made for another text than the one that is there now.",
  scan_failed: "Its silence proves nothing: findings stay as they were.",
  internal: "Findings and files are as they were before.",
};

export function ErrorNote({ error, onRetry }: { error: ApiError; onRetry?: (() => void) | undefined }) {
  return (
    <div className={styles.note} role="alert">
      <span className={styles.mark}>
        <Mark name="fail" />
      </span>
      <div className="grow">
        <p className={styles.what}>
          <Prose text={sentence(error.message)} />
        </p>
        <p>{MEANING[error.code]}</p>
        {error.hint !== null && (
          <p>
            <Prose text={sentence(error.hint)} />
          </p>
        )}
        <p className={styles.actions}>
          {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
          <CopyDetail error={error} />
        </p>
      </div>
    </div>
  );
}

export function meaningOf(error: ApiError): string {
  return MEANING[error.code];
}

export function CopyDetail({ error }: { error: ApiError }) {
  const [copied, setCopied] = useState(false);
  const text = [`${error.code}: ${error.message}`, error.hint, error.details]
    .filter((line) => line !== null)
    .join("\n");
  return (
    <Button look="quiet" title={text} onClick={() => void copyText(text).then(setCopied)}>
      {copied ? "Copied" : "Copy detail"}
    </Button>
  );
}

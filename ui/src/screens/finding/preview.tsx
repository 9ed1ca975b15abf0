/** Exactly what each model would be sent for this finding, and what the policy says of it. Nothing is sent. */
import { useState } from "react";
import { useCommand } from "../../api/client";
import type { PreviewedRequest } from "../../backend/generated";
import { Button, IconButton } from "../../components/button";
import { Decision } from "../../components/decision";
import { Dialog } from "../../components/dialog";
import { ErrorNote } from "../../components/error-note";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { bytes, sentence } from "../../format";
import styles from "./preview.module.css";

export function Preview({ finding, onClose }: { finding: string; onClose: () => void }) {
  const { data, error, refetch } = useCommand("preview_request", { finding });
  const [at, setAt] = useState(0);
  const request = data?.requests[at];
  return (
    <Dialog label="What would be sent" onClose={onClose} wide>
      <header className={styles.head}>
        <h2 className="grow">What would be sent</h2>
        <span className="small faint">nothing is sent now</span>
        <IconButton label="Close" onClick={onClose}>
          <Mark name="close" size={12} />
        </IconButton>
      </header>
      {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {data?.note != null && (
        <p className={styles.note}>
          <Prose text={sentence(data.note)} />
        </p>
      )}
      {data !== undefined && data.requests.length > 1 && (
        <div className={styles.models} role="group" aria-label="Models">
          {data.requests.map(({ name }, index) => (
            <Button key={name} look="quiet" aria-pressed={index === at} onClick={() => setAt(index)}>
              {name}
            </Button>
          ))}
        </div>
      )}
      {request !== undefined && <Request request={request} />}
    </Dialog>
  );
}

function Request({ request }: { request: PreviewedRequest }) {
  const taken = request.redactions.length > 0;
  return (
    <>
      <dl className={styles.facts}>
        <dt>To</dt>
        <dd>
          <code>{request.endpoint}</code>, model <code>{request.model}</code>,{" "}
          {request.class === "local" ? "which runs on this machine" : "which counts as hosted"}
        </dd>
        <dt>Size</dt>
        <dd>{bytes(request.bytes)}</dd>
        <dt>Taken out</dt>
        <dd>
          {taken
            ? request.redactions.map((redaction) => `${redaction.count} ${redaction.label}`).join(", ")
            : "no secret was found in it"}
        </dd>
        <dt>Policy</dt>
        <dd>
          <Decision effect={request.decision} /> <code>{request.rule}</code>: {request.reason}
          {request.remedy !== null && (
            <p>
              <Prose text={sentence(request.remedy)} />
            </p>
          )}
        </dd>
      </dl>
      <pre className={styles.body} tabIndex={0} aria-label="The body of the request">
        {readable(request.body)}
      </pre>
    </>
  );
}

/** A JSON body on several lines; the same values, nothing left out. */
function readable(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2).replaceAll("\\n", "\n");
  } catch {
    return body;
  }
}

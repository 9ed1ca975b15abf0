/**
 * What was looked at, by which tool, and how that ended: one line, which opens to the details and to an import.
 *
 * A scan that failed comes first and is never counted as a clean one.
 */
import { type RefObject, useId, useState } from "react";
import type { ProjectView, ScanView } from "../../backend/generated";
import { Button } from "../../components/button";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { ago, count, sentence } from "../../format";
import styles from "./scans.module.css";

export function Scans({
  project,
  open,
  busy,
  now,
  pathInput,
  onToggle,
  onImport,
}: {
  project: ProjectView;
  open: boolean;
  busy: boolean;
  now: number;
  pathInput: RefObject<HTMLInputElement | null>;
  onToggle: () => void;
  onImport: (path: string) => void;
}) {
  const id = useId();
  const scans = project.scans.toSorted((a, b) => Number(b.state === "failed") - Number(a.state === "failed"));
  return (
    <section className={styles.scans} aria-label="Scans">
      <button type="button" className={styles.line} aria-expanded={open} aria-controls={id} onClick={onToggle}>
        <Mark name={open ? "down" : "right"} size={10} />
        <b>Scans</b>
        {scans.map((scan) => (
          <ScanWord key={scan.tool} scan={scan} now={now} />
        ))}
        {scans.length === 0 && <span>{busy ? "Looking…" : "No scan yet"}</span>}
      </button>
      {open && (
        <div id={id} className={styles.details}>
          <ul>
            {scans.map((scan) => (
              <ScanDetail key={scan.tool} scan={scan} now={now} />
            ))}
          </ul>
          <ImportField busy={busy} input={pathInput} onImport={onImport} onClose={onToggle} />
        </div>
      )}
    </section>
  );
}

function ScanWord({ scan, now }: { scan: ScanView; now: number }) {
  if (scan.state === "failed") {
    return (
      <span className={styles.failed}>
        <Mark name="fail" size={12} />
        {scan.tool}: scan failed
      </span>
    );
  }
  return (
    <span className={styles.complete}>
      {scan.tool}
      <span className="faint">
        {count(scan.results, "result")}, {ago(scan.at, now)}
      </span>
      {scan.complaint_count > 0 && (
        <span className={styles.complaints}>{count(scan.complaint_count, "part")} unusable</span>
      )}
    </span>
  );
}

function ScanDetail({ scan, now }: { scan: ScanView; now: number }) {
  const hidden = scan.complaint_count - scan.complaints.length;
  return (
    <li className={styles.detail}>
      <b>{scan.tool}</b>
      <div>
        {scan.state === "failed" ? (
          <p className={styles.failed_text}>
            <span className={styles.failed}>Scan failed, {ago(scan.at, now)}.</span>{" "}
            <Prose text={sentence(scan.reason ?? "It gives no reason")} /> Its silence proves nothing: findings stay as
            they were.
          </p>
        ) : (
          <p>
            {count(scan.results, "result")}, {scan.new_findings} new, {ago(scan.at, now)}.
          </p>
        )}
        {scan.complaint_count > 0 && (
          <>
            <p>{count(scan.complaint_count, "part")} could not be used:</p>
            <ul className={styles.complaint_list}>
              {scan.complaints.map((complaint) => (
                <li key={complaint}>
                  <Prose text={complaint} />
                </li>
              ))}
              {hidden > 0 && <li>and {hidden} more</li>}
            </ul>
          </>
        )}
      </div>
    </li>
  );
}

function ImportField({
  busy,
  input,
  onImport,
  onClose,
}: {
  busy: boolean;
  input: RefObject<HTMLInputElement | null>;
  onImport: (path: string) => void;
  onClose: () => void;
}) {
  const [path, setPath] = useState("");
  const id = useId();
  return (
    <form
      className={styles.import}
      onSubmit={(event) => {
        event.preventDefault();
        if (path.trim() === "") return;
        onImport(path.trim());
        setPath("");
      }}
    >
      <label htmlFor={id}>Import a SARIF file</label>
      <input
        ref={input}
        id={id}
        type="text"
        placeholder="/path/to/report.sarif, or drop one on the window"
        autoComplete="off"
        spellCheck={false}
        value={path}
        onChange={(event) => setPath(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onClose();
        }}
      />
      <Button type="submit" disabled={busy}>
        Import
      </Button>
    </form>
  );
}

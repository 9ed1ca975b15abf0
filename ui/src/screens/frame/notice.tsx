/** What just happened, in one bar above the status strip. The newest replaces the last; it stays until it is closed. */
import { type ReactNode, createContext, useCallback, useContext, useMemo, useState } from "react";
import type { ApiError, ImportView, ScanView } from "../../backend/generated";
import { Button, IconButton } from "../../components/button";
import { CopyDetail, meaningOf } from "../../components/error-note";
import { Mark, type MarkName } from "../../components/mark";
import { Prose } from "../../components/prose";
import { count, sentence } from "../../format";
import styles from "./notice.module.css";

type Tone = "plain" | "pass" | "fail";

export type Notice = {
  tone: Tone;
  title: string;
  lines?: readonly string[];
  action?: { label: string; run: () => void };
  error?: ApiError;
};

type Notices = {
  notice: Notice | null;
  say: (notice: Notice) => void;
  sayError: (what: string, error: ApiError) => void;
  close: () => void;
};

const NoticeContext = createContext<Notices>({ notice: null, say: () => {}, sayError: () => {}, close: () => {} });

export function useNotices(): Notices {
  return useContext(NoticeContext);
}

export function NoticeProvider({ children }: { children: ReactNode }) {
  const [notice, say] = useState<Notice | null>(null);
  const close = useCallback(() => say(null), []);
  const value = useMemo(
    (): Notices => ({
      notice,
      say,
      sayError: (what, error) => {
        const lines = [sentence(error.message), meaningOf(error), sentence(error.hint ?? "")];
        say({ tone: "fail", title: what, lines: lines.filter((line) => line !== ""), error });
      },
      close,
    }),
    [notice, close],
  );
  return <NoticeContext value={value}>{children}</NoticeContext>;
}

const MARKS: Record<Tone, MarkName> = { plain: "info", pass: "pass", fail: "fail" };

export function NoticeBar() {
  const { notice, close } = useNotices();
  return (
    <div className={styles.slot} role="status" aria-label="Notice">
      {notice !== null && (
        <div className={styles.bar} data-tone={notice.tone}>
          <span className={styles.mark}>
            <Mark name={MARKS[notice.tone]} />
          </span>
          <div className={styles.text}>
            <b>{notice.title}</b>
            {notice.lines?.map((line) => (
              <span key={line}>
                <Prose text={line} />
              </span>
            ))}
          </div>
          {notice.action !== undefined && (
            <Button
              onClick={() => {
                close();
                notice.action?.run();
              }}
            >
              {notice.action.label}
            </Button>
          )}
          {notice.error !== undefined && <CopyDetail error={notice.error} />}
          <IconButton label="Close the notice" onClick={close}>
            <Mark name="close" size={12} />
          </IconButton>
        </div>
      )}
    </div>
  );
}

/** How many complaints a notice quotes; the scans of the project list the rest. */
const QUOTED = 3;

/** What an import or a scan brought. One that failed is said to have failed, whatever else came with it. */
export function noticeOfImport(what: string, { scans }: ImportView): Notice {
  const failed = scans.filter((scan) => scan.state === "failed");
  const results = scans.reduce((sum, scan) => sum + scan.results, 0);
  const fresh = scans.reduce((sum, scan) => sum + scan.new_findings, 0);
  const lines = scans.flatMap(linesOf);
  if (scans.length === 0)
    return { tone: "fail", title: `${what}: no scan was in it`, lines: ["Nothing can be said from it."] };
  if (failed.length > 0) {
    const names = failed.map((scan) => scan.tool).join(", ");
    return { tone: "fail", title: `The scan by ${names} failed: that is not a clean result`, lines };
  }
  return { tone: "pass", title: `${what}: ${count(results, "result")}, ${fresh} new`, lines };
}

function linesOf(scan: ScanView): string[] {
  const lines: string[] = [];
  if (scan.state === "failed")
    lines.push(`${scan.tool}: ${sentence(scan.reason ?? "it gives no reason")} Its silence proves nothing.`);
  if (scan.complaint_count > 0) {
    const quoted = scan.complaints.slice(0, QUOTED).join("; ");
    lines.push(`${scan.tool}: ${count(scan.complaint_count, "part")} could not be used: ${quoted}`);
  }
  return lines;
}

/** Dismissing findings: the reason is chosen and said, and a dismissed finding says so until it is opened again. */
import { useId, useState } from "react";
import { useChange } from "../../api/client";
import type { DismissReason, DismissalView } from "../../backend/generated";
import { Button } from "../../components/button";
import { Dialog } from "../../components/dialog";
import { Mark } from "../../components/mark";
import { ago, count, sentence } from "../../format";
import { useNow } from "../../now";
import { useNotices } from "../frame/notice";
import styles from "./dismiss.module.css";

const REASONS: Record<DismissReason, { word: string; says: string }> = {
  false_positive: { word: "False positive", says: "There is no weakness here." },
  wont_fix: { word: "Won’t be fixed", says: "There is one, and it stays." },
  used_in_tests: { word: "Used in tests only", says: "The code never runs in production." },
};

const REASON_IDS = Object.keys(REASONS) as DismissReason[];

/** The longest note that is kept, in characters. */
const LONGEST_NOTE = 2_000;

export function DismissDialog({
  findings,
  onClose,
  onDone,
}: {
  findings: readonly string[];
  onClose: () => void;
  onDone?: () => void;
}) {
  const name = useId();
  const [reason, setReason] = useState<DismissReason>("false_positive");
  const [note, setNote] = useState("");
  const dismiss = useChange("dismiss_findings");
  const reopen = useReopen();
  const { say, sayError } = useNotices();
  const submit = () =>
    dismiss.mutate(
      { findings: [...findings], reason, note },
      {
        onSuccess: (decided) => {
          say({
            tone: "pass",
            title: `${count(decided.findings.length, "finding")} dismissed: ${REASONS[reason].word.toLowerCase()}`,
            action: { label: "Undo", run: () => reopen(decided.findings) },
          });
          onClose();
          onDone?.();
        },
        onError: (error) => {
          onClose();
          sayError("Not all were dismissed", error);
        },
      },
    );
  return (
    <Dialog label="Dismiss" onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <h2>{findings.length === 1 ? "Dismiss this finding" : `Dismiss ${count(findings.length, "finding")}`}</h2>
        <fieldset className={styles.reasons}>
          <legend className="heard">Why</legend>
          {REASON_IDS.map((id) => (
            <label key={id}>
              <input type="radio" name={name} checked={id === reason} onChange={() => setReason(id)} />
              <span>
                {REASONS[id].word}
                <span className={styles.says}>{REASONS[id].says}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <label className={styles.note}>
          <span>In your words</span>
          <textarea rows={3} maxLength={LONGEST_NOTE} value={note} onChange={(event) => setNote(event.target.value)} />
        </label>
        <p className="small faint">
          It stays listed and counted as dismissed. Changed code is another finding, which is open again.
        </p>
        <div className={styles.buttons}>
          <Button look="primary" type="submit" disabled={dismiss.isPending}>
            Dismiss
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** That a finding is dismissed, why and since when. */
export function Dismissed({ dismissal: { reason, note, at } }: { dismissal: DismissalView }) {
  const now = useNow();
  return (
    <p className={styles.bar}>
      <Mark name="refused" />
      <span>
        <b>Dismissed {ago(at, now)}:</b> {sentence(REASONS[reason].word.toLowerCase())} {note}
      </span>
    </p>
  );
}

/** Opens dismissed findings again and says so. */
export function useReopen(): (findings: readonly string[]) => void {
  const reopen = useChange("reopen_findings");
  const { say, sayError } = useNotices();
  return (findings) =>
    reopen.mutate(
      { findings: [...findings] },
      {
        onSuccess: (decided) =>
          say({ tone: "pass", title: `${count(decided.findings.length, "finding")} stands again as before` }),
        onError: (error) => sayError("It was not opened again", error),
      },
    );
}

/** A shape with its word: severities, outcomes and states. Neither is ever shown by colour alone. */
import type {
  CheckOutcome,
  EvidenceView,
  FindingRow,
  Role,
  RunProgress,
  SeatState,
  Severity,
} from "../backend/generated";
import { Mark, type MarkName } from "./mark";
import styles from "./words.module.css";

const SEVERITIES: Record<Severity, string> = {
  critical: "Critical",
  high: "High",
  medium: "Medium",
  low: "Low",
  note: "Note",
};

export function SeverityWord({ severity }: { severity: Severity }) {
  return (
    <span className={`${styles.word} ${styles[severity]}`}>
      <Mark name={severity} size={12} />
      {SEVERITIES[severity]}
    </span>
  );
}

type Outcome = { mark: MarkName; tone: string; word: string };

const OUTCOMES: Record<CheckOutcome, Outcome> = {
  pass: { mark: "pass", tone: "pass", word: "Pass" },
  fail: { mark: "fail", tone: "fail", word: "Fail" },
  not_available: { mark: "not_available", tone: "unavailable", word: "Not available" },
  not_run: { mark: "not_run", tone: "unknown", word: "Not run" },
  flaky: { mark: "flaky", tone: "flaky", word: "Flaky" },
  error: { mark: "fail", tone: "flaky", word: "Error" },
};

export function outcomeWord(outcome: CheckOutcome): string {
  return OUTCOMES[outcome].word;
}

/** How a rung ended: a pass may say less than it could. */
export function rungWord({ outcome, weaker }: Pick<EvidenceView, "outcome" | "weaker">): string {
  return outcome === "pass" && weaker ? "Weaker pass" : outcomeWord(outcome);
}

/** The mark of an outcome alone, where its word stands in the sentence beside it. */
export function OutcomeMark({ outcome, size = 14 }: { outcome: CheckOutcome; size?: 12 | 14 }) {
  const { mark, tone } = OUTCOMES[outcome];
  return (
    <span className={`${styles.word} ${styles[tone]}`}>
      <Mark name={mark} size={size} />
    </span>
  );
}

/** A cap up to which a fix counts as untested: nothing looked at it again. */
const UNTESTED_CAP = 0.35;

function stateOf({ status, confidence }: Pick<FindingRow, "status" | "confidence">): Outcome {
  switch (status) {
    case "open":
      return { mark: "not_run", tone: "unknown", word: "Not tried yet" };
    case "running":
      return { mark: "running", tone: "live", word: "Running" };
    case "fix_ready":
      return confidence !== null && confidence.cap <= UNTESTED_CAP
        ? { mark: "not_available", tone: "unavailable", word: "Fix not tested" }
        : { mark: "pass", tone: "pass", word: "Fix ready" };
    case "disagreement":
      return { mark: "flaky", tone: "flaky", word: "Two fixes, pick one" };
    case "no_safe_fix":
      return { mark: "fail", tone: "fail", word: "No safe fix found" };
    case "suspected_false_positive":
      return { mark: "not_available", tone: "unknown", word: "Suspected false positive" };
    case "fixed":
      return { mark: "tick", tone: "done", word: "Fixed" };
    case "dismissed":
      return { mark: "refused", tone: "unknown", word: "Dismissed" };
    case "suppressed":
      return { mark: "not_available", tone: "unavailable", word: "Suppressed by the tool" };
  }
}

export function StateWord({ row, boxed = false }: { row: Pick<FindingRow, "status" | "confidence">; boxed?: boolean }) {
  const { mark, tone, word } = stateOf(row);
  return (
    <span className={`${styles.word} ${styles[tone]} ${boxed ? styles.boxed : ""}`}>
      <Mark name={mark} />
      <span className="cut">{word}</span>
    </span>
  );
}

/** Whether the file changed since the scan by another hand than ours: an applied fix changes it too. */
export function changedByOthers({ stale, status }: Pick<FindingRow, "stale" | "status">): boolean {
  return stale && status !== "fixed";
}

const STAGES: Record<RunProgress["stage"], string> = {
  queued: "Waiting for its turn",
  gather: "Reading the code",
  propose: "Asking the seats",
  verify: "Checking on a copy",
  judge: "Comparing the best fixes",
  synthesise: "Thinking it over",
  conclude: "Drawing the conclusion",
};

/** The same in a word, where a band is narrow. */
const STAGE_NAMES: Record<RunProgress["stage"], string> = {
  queued: "Wait",
  gather: "Read",
  propose: "Ask",
  verify: "Check on a copy",
  judge: "Judge",
  synthesise: "Think it over",
  conclude: "Conclude",
};

export function stageName(stage: RunProgress["stage"]): string {
  return STAGE_NAMES[stage];
}

export const STAGE_ORDER = Object.keys(STAGES) as RunProgress["stage"][];

export function stageWord(stage: RunProgress["stage"]): string {
  return STAGES[stage];
}

const SEATS: Record<SeatState, Outcome> = {
  proposed: { mark: "seat", tone: "plain", word: "Proposed" },
  refused: { mark: "refused", tone: "plain", word: "Refused" },
  doubted: { mark: "refused", tone: "unknown", word: "Would change nothing" },
  silent: { mark: "note", tone: "unknown", word: "Nothing to say" },
  failed: { mark: "fail", tone: "fail", word: "Failed" },
  empty: { mark: "not_run", tone: "unknown", word: "Empty" },
};

const ROLES: Record<Role, string> = {
  deep_reasoning: "Deep reasoning",
  pattern_matching: "Pattern recognition",
  logic: "Logic",
  fast: "Efficiency",
  specialised: "Specialised",
};

export function roleWord(role: Role): string {
  return ROLES[role];
}

export function SeatMark({ state }: { state: SeatState }) {
  const { mark, tone } = SEATS[state];
  return (
    <span className={`${styles.word} ${styles[tone]}`}>
      <Mark name={mark} size={12} />
    </span>
  );
}

export function seatWord(state: SeatState): string {
  return SEATS[state].word;
}

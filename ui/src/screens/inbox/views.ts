/** The saved views, as people read them. */
import type { SavedView } from "../../backend/generated";

export const VIEW_NAMES: Record<SavedView, string> = {
  needs_you: "Needs you",
  fix_ready: "Fix ready",
  running: "Running",
  no_safe_fix: "No safe fix",
  fixed: "Fixed",
  dismissed: "Dismissed",
  suppressed: "Suppressed",
  all: "All",
};

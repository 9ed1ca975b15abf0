/**
 * THE list of commands: what each does, where it works and which keys it has.
 *
 * The palette, the key sheet, the keys on the buttons and the test for clashes derive from it.
 */
import type { Screen } from "../routes";

export type CommandInfo = {
  /** In the palette and on the key sheet. */
  title: string;
  /** Chords as `keys.ts` reads them; the first one is shown on the control. */
  keys: readonly string[];
  /** Where it works; everywhere when absent. */
  screens?: readonly Screen[];
  /** False for movements, which would only fill the palette. */
  palette?: boolean;
  /** Goes before what shares its key, for as long as it can be run; listed before it as well. */
  before?: boolean;
};

export const COMMANDS = {
  "notice.close": { title: "Close the notice of a failure", keys: ["Escape"], before: true },
  "finding.edit.leave": {
    title: "Leave the edit, and keep it",
    keys: ["Escape"],
    screens: ["finding"],
    before: true,
    palette: false,
  },
  palette: { title: "Go to, or do", keys: ["Mod+k"], palette: false },
  keys: { title: "All keys for this screen", keys: ["?"] },
  "go.inbox": { title: "Go to the inbox", keys: ["g i"] },
  "go.runs": { title: "Go to runs", keys: ["g r"] },
  "go.insights": { title: "Go to insights", keys: ["g n"] },
  "go.compare": { title: "Compare two ways of coming to fixes", keys: ["g c"] },
  "go.policy": { title: "Go to policy and what left", keys: ["g p"] },
  "go.providers": { title: "Go to models and keys", keys: ["g k"] },
  "go.machine": { title: "Go to this machine", keys: ["g m"] },
  "go.welcome": { title: "Add a folder…", keys: ["g f"] },
  demo: { title: "Open the sample project", keys: [] },
  theme: { title: "Switch theme: system, light, dark", keys: [] },
  "single.keys": { title: "Turn single-letter keys on or off", keys: [] },
  "runs.cancel": { title: "Cancel all runs", keys: [] },

  "inbox.next": { title: "Next finding", keys: ["j", "ArrowDown"], screens: ["inbox"], palette: false },
  "inbox.previous": { title: "Previous finding", keys: ["k", "ArrowUp"], screens: ["inbox"], palette: false },
  "inbox.page.down": { title: "A page down", keys: ["PageDown"], screens: ["inbox"], palette: false },
  "inbox.page.up": { title: "A page up", keys: ["PageUp"], screens: ["inbox"], palette: false },
  "inbox.first": { title: "First finding", keys: ["Home"], screens: ["inbox"], palette: false },
  "inbox.last": { title: "Last finding", keys: ["End"], screens: ["inbox"], palette: false },
  "inbox.open": { title: "Open the finding", keys: ["Enter"], screens: ["inbox"] },
  "inbox.select": { title: "Select or unselect the finding", keys: ["x"], screens: ["inbox"] },
  "inbox.extend.down": { title: "Select, and go on down", keys: ["Shift+j"], screens: ["inbox"], palette: false },
  "inbox.extend.up": { title: "Select, and go on up", keys: ["Shift+k"], screens: ["inbox"], palette: false },
  "inbox.clear": { title: "Clear the selection", keys: ["Escape"], screens: ["inbox"] },
  "inbox.filter": { title: "Filter", keys: ["/"], screens: ["inbox"] },
  "inbox.run": { title: "Find a fix", keys: ["r"], screens: ["inbox"] },
  "inbox.run.all": { title: "Plan fixes for all open findings…", keys: ["Shift+r"], screens: ["inbox"] },
  "inbox.apply": { title: "Apply the recommended fix", keys: ["a"], screens: ["inbox"] },
  "inbox.undo": { title: "Undo the applied fix", keys: ["u"], screens: ["inbox"] },
  "inbox.dismiss": { title: "Dismiss the finding…", keys: ["d"], screens: ["inbox"] },
  "inbox.reopen": { title: "Open the dismissed finding again", keys: ["o"], screens: ["inbox"] },
  "inbox.import": { title: "Import a SARIF file…", keys: ["i"], screens: ["inbox"] },
  "inbox.scan": { title: "Scan again", keys: ["s"], screens: ["inbox"] },
  "inbox.group": { title: "Group by rule, or not", keys: ["v"], screens: ["inbox"] },

  "plan.run": { title: "Run what is planned", keys: ["r"], screens: ["plan"] },
  "plan.next": { title: "Next planned finding", keys: ["j", "ArrowDown"], screens: ["plan"], palette: false },
  "plan.previous": { title: "Previous planned finding", keys: ["k", "ArrowUp"], screens: ["plan"], palette: false },
  "plan.open": { title: "Open the finding", keys: ["Enter"], screens: ["plan"] },
  "plan.budget": { title: "Set what all together may cost", keys: ["b"], screens: ["plan"] },
  "plan.most": { title: "Set how many findings at most", keys: ["m"], screens: ["plan"] },
  "plan.tiers": { title: "Change how much effort findings get", keys: ["t"], screens: ["plan"] },
  "plan.back": { title: "Back to the inbox", keys: ["Escape"], screens: ["plan"] },

  "compare.left": { title: "Prefer the left one", keys: ["1", "ArrowLeft"], screens: ["compare"] },
  "compare.right": { title: "Prefer the right one", keys: ["2", "ArrowRight"], screens: ["compare"] },
  "compare.both": { title: "Both alike", keys: ["b"], screens: ["compare"] },
  "compare.neither": { title: "Neither of the two", keys: ["n"], screens: ["compare"] },
  "compare.begin": { title: "Begin the comparison, or run the rest", keys: ["r"], screens: ["compare"] },
  "compare.back": { title: "Back to insights", keys: ["Escape"], screens: ["compare"] },

  "runs.next": { title: "Next run", keys: ["j", "ArrowDown"], screens: ["runs"], palette: false },
  "runs.previous": { title: "Previous run", keys: ["k", "ArrowUp"], screens: ["runs"], palette: false },
  "runs.open": { title: "Open the finding", keys: ["Enter"], screens: ["runs"] },
  "runs.cancel.one": { title: "Cancel this run", keys: ["x"], screens: ["runs"] },
  "runs.back": { title: "Back", keys: ["Escape"], screens: ["runs"], palette: false },
  "runs.lane.next": { title: "Next lane", keys: ["]"], screens: ["runs"], palette: false },
  "runs.lane.previous": { title: "Previous lane", keys: ["["], screens: ["runs"], palette: false },

  "policy.allow": { title: "Allow the waiting request once", keys: ["1"], screens: ["policy"] },
  "policy.deny": { title: "Deny the waiting request once", keys: ["2"], screens: ["policy"] },
  "policy.always": { title: "Always allow what this pattern covers…", keys: ["3"], screens: ["policy"] },
  "policy.filter": { title: "Filter what left", keys: ["/"], screens: ["policy"] },
  "policy.try": { title: "Try a request", keys: ["t"], screens: ["policy"] },
  "policy.edit": { title: "Edit your rules", keys: ["e"], screens: ["policy"] },

  "providers.next": { title: "Next model", keys: ["j", "ArrowDown"], screens: ["providers"], palette: false },
  "providers.previous": { title: "Previous model", keys: ["k", "ArrowUp"], screens: ["providers"], palette: false },
  "providers.open": { title: "Show the model", keys: ["Enter"], screens: ["providers"], palette: false },
  "providers.close": { title: "Back to the list of models", keys: ["Escape"], screens: ["providers"] },
  "providers.up": { title: "Ask the model earlier", keys: ["Alt+ArrowUp"], screens: ["providers"] },
  "providers.down": { title: "Ask the model later", keys: ["Alt+ArrowDown"], screens: ["providers"] },
  "providers.test": { title: "Test the model now", keys: ["t"], screens: ["providers"] },
  "providers.load": { title: "Load the model file, or let it go", keys: ["b"], screens: ["providers"] },
  "providers.test.all": { title: "Test all models now", keys: ["Shift+t"], screens: ["providers"] },
  "providers.trial": { title: "Try the model out only, or use its answers", keys: ["y"], screens: ["providers"] },
  "providers.switch": { title: "Turn the model on or off", keys: ["o"], screens: ["providers"] },
  "providers.edit": { title: "Edit the model", keys: ["e"], screens: ["providers"] },
  "providers.remove": { title: "Remove the model", keys: ["Delete"], screens: ["providers"] },
  "providers.add": { title: "Add a model…", keys: ["a"], screens: ["providers"] },
  "providers.import": { title: "Import a configuration…", keys: ["i"], screens: ["providers"] },
  "providers.find": { title: "Look for servers on this machine", keys: ["f"], screens: ["providers"] },
  "providers.local": { title: "Give code to no model that leaves this machine", keys: ["l"], screens: ["providers"] },
  "providers.health": { title: "How all models are, and thresholds", keys: ["s"], screens: ["providers"] },
  "providers.money": { title: "What was spent, and what may be", keys: ["m"], screens: ["providers"] },
  "providers.tiers": { title: "How much effort findings get", keys: ["p"], screens: ["providers"] },
  "providers.tools": { title: "The toolbox: what deliberation may use", keys: ["x"], screens: ["providers"] },
  "providers.keys": { title: "Keys by host", keys: ["h"], screens: ["providers"] },

  "finding.back": { title: "Back to the inbox", keys: ["Escape"], screens: ["finding"] },
  "finding.next": { title: "Next finding", keys: ["j"], screens: ["finding"] },
  "finding.previous": { title: "Previous finding", keys: ["k"], screens: ["finding"] },
  "finding.run": { title: "Find a fix, or try again", keys: ["r"], screens: ["finding"] },
  "finding.more": { title: "Try again with every seat", keys: ["Shift+r"], screens: ["finding"] },
  "finding.dismiss": { title: "Dismiss the finding…", keys: ["d"], screens: ["finding"] },
  "finding.reopen": { title: "Open the dismissed finding again", keys: ["o"], screens: ["finding"] },
  "finding.apply": { title: "Apply the chosen fix", keys: ["a"], screens: ["finding"] },
  "finding.edit": { title: "Edit the chosen fix", keys: ["e"], screens: ["finding"] },
  "finding.edit.check": { title: "Check your version", keys: ["Mod+Enter"], screens: ["finding"] },
  "finding.undo": { title: "Undo the applied fix", keys: ["u"], screens: ["finding"] },
  "finding.preview": { title: "Preview what would be sent", keys: ["w"], screens: ["finding"] },
  "finding.compare": { title: "Compare with the next fix, or show one alone", keys: ["c"], screens: ["finding"] },
  "finding.copy": { title: "Copy the patch", keys: ["y"], screens: ["finding"] },
  "finding.flow.next": { title: "Next step of the flow", keys: ["]"], screens: ["finding"], palette: false },
  "finding.flow.previous": { title: "Previous step of the flow", keys: ["["], screens: ["finding"], palette: false },
  "finding.change.next": { title: "Next change in the diff", keys: ["n"], screens: ["finding"], palette: false },
  "finding.change.previous": {
    title: "Previous change in the diff",
    keys: ["p"],
    screens: ["finding"],
    palette: false,
  },
  "finding.tab": { title: "Next column", keys: ["v"], screens: ["finding"], palette: false },
  "finding.fix": {
    title: "Choose a fix",
    keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    screens: ["finding"],
    palette: false,
  },
} as const satisfies Record<string, CommandInfo>;

export type CommandId = keyof typeof COMMANDS;

export const COMMAND_IDS = Object.keys(COMMANDS) as CommandId[];

export function infoOf(id: CommandId): CommandInfo {
  return COMMANDS[id];
}

/** Whether `id` works on `screen`. */
export function worksOn(id: CommandId, screen: Screen): boolean {
  const { screens } = infoOf(id);
  return screens === undefined || screens.includes(screen);
}

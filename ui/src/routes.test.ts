import { expect, test } from "vitest";
import { LIST, type Place, findingAt, formatPlace, inboxAt, parsePlace } from "./routes";

const inbox: Place = { screen: "inbox", at: null, ...LIST };

test.each<[string, Place]>([
  ["#/inbox", inbox],
  ["#/inbox?at=f1", { ...inbox, at: "f1" }],
  [
    "#/inbox?project=p1&view=fixed&q=severity%3Ahigh+sql&sort=path&group=none&at=f1",
    { screen: "inbox", at: "f1", project: "p1", view: "fixed", query: "severity:high sql", sort: "path", group: false },
  ],
  ["#/finding/f1", { screen: "finding", finding: "f1", fix: 1, beside: null, tab: "fixes", ...LIST }],
  [
    "#/finding/f1?view=all&fix=3&tab=why",
    { screen: "finding", finding: "f1", fix: 3, beside: null, tab: "why", ...LIST, view: "all" },
  ],
  ["#/finding/f1?fix=2&beside=3", { screen: "finding", finding: "f1", fix: 2, beside: 3, tab: "fixes", ...LIST }],
  ["#/runs", { screen: "runs", at: null, ...LIST }],
  ["#/runs?at=f1", { screen: "runs", at: "f1", ...LIST }],
  ["#/plan", { screen: "plan", findings: [], budget: "", most: "", at: null, ...LIST }],
  [
    "#/plan?project=p1&of=f1%2Cf2&budget=1.50&most=3&at=f2",
    { screen: "plan", findings: ["f1", "f2"], budget: "1.50", most: "3", at: "f2", ...LIST, project: "p1" },
  ],
  ["#/welcome", { screen: "welcome", ...LIST }],
  ["#/policy", { screen: "policy", ...LIST }],
  ["#/providers", { screen: "providers", pane: "model", at: null, ...LIST }],
  ["#/providers?pane=edit&at=Local+Qwen", { screen: "providers", pane: "edit", at: "Local Qwen", ...LIST }],
  ["#/insights", { screen: "insights", ...LIST }],
  ["#/machine?project=p1", { screen: "machine", ...LIST, project: "p1" }],
])("%s is a place and back", (address, place) => {
  expect(parsePlace(address)).toEqual(place);
  expect(formatPlace(place)).toBe(address);
});

test.each([
  ["", inbox],
  ["#", inbox],
  ["#/nowhere", inbox],
  ["#/finding/", inbox],
  ["#/inbox?view=gone&sort=odd&extra=1", inbox],
  ["#/providers?pane=gone", { screen: "providers", pane: "model", at: null, ...LIST }],
  [
    "#/finding/f1?fix=-2&beside=x&tab=none",
    { screen: "finding", finding: "f1", fix: 1, beside: null, tab: "fixes", ...LIST },
  ],
])("a stale address %s still opens", (address, place) => expect(parsePlace(address)).toEqual(place));

test("a finding remembers the list it was opened from", () => {
  const list: Place = { ...inbox, project: "p1", view: "all", query: "sql", at: "f1" };
  expect(inboxAt(findingAt(list, "f2"), "f2")).toEqual({ ...list, at: "f2" });
});

import { expect, test } from "vitest";
import { pagesToFetch, PAGE } from "../../api/finding-window";
import { row } from "../../test/row";
import { openCount } from "./actions";
import { findRow } from "./cursor";
import { joinQuery, splitQuery, takeFinished } from "./filter";
import { groupByRule, groupKey } from "./rows";

test.each([
  [
    "severity:high rule:B602 sql text",
    [
      ["severity", "high"],
      ["rule", "B602"],
    ],
    "sql text",
  ],
  ["  Path:src/** ", [["path", "src/**"]], ""],
  ["severity: other:thing", [], "severity: other:thing"],
  ["", [], ""],
])("the query %j comes apart", (query, chips, words) => {
  const split = splitQuery(query);
  expect(split.chips.map(({ key, value }) => [key, value])).toEqual(chips);
  expect(split.words).toBe(words);
});

test("a query is put together without doubled chips", () => {
  const chip = { key: "rule", value: "B602" };
  expect(joinQuery([chip, chip], " sql  text ")).toBe("rule:B602 sql text");
});

test.each([
  ["severity:hi", [], "severity:hi"],
  ["severity:high ", ["high"], ""],
  ["sql severity:high te", ["high"], "sql te"],
  ["two words ", [], "two words "],
])("typing %j finishes its tokens at the space", (typed, values, rest) => {
  const taken = takeFinished(typed);
  expect(taken.finished.map(({ value }) => value)).toEqual(values);
  expect(taken.rest).toBe(rest);
});

test("rows stand under their rule, in the order of the first one", () => {
  const rows = [
    row("1", { rule: "a" }),
    row("2", { rule: "b" }),
    row("3", { rule: "a" }),
    row("4", { rule: "a", tool: "other" }),
  ];
  const lines = (closed: Set<string>) =>
    groupByRule(rows, closed).map((item) =>
      item.kind === "group" ? `${item.tool} ${item.rule} ${item.count}` : item.row.id,
    );
  expect(lines(new Set())).toEqual(["scanner a 2", "1", "3", "scanner b 1", "2", "other a 1", "4"]);
  expect(lines(new Set([groupKey({ tool: "scanner", rule: "a" })]))).toEqual([
    "scanner a 2",
    "scanner b 1",
    "2",
    "other a 1",
    "4",
  ]);
});

test.each([
  [[0, 20], 1, [0]],
  [[PAGE - 1, PAGE + 10], 2, [0, 1]],
  // The way to page 9 is not known: the last known page is fetched to learn the next cursor.
  [[9 * PAGE, 9 * PAGE + 20], 4, [0, 3]],
  [[4 * PAGE, 4 * PAGE + 20, 0], 12, [0, 4]],
])("rows %j with %d known cursors need pages %j", (visible, known, pages) => {
  expect(pagesToFetch(visible, known)).toEqual(pages);
});

test("the cursor finds its row again, or stays where it was", () => {
  const rows = ["a", "b", "c"].map((id) => row(id));
  const at = (position: number) => rows[position];
  expect(findRow(null, 3, at, 2)).toBe(0);
  expect(findRow("c", 3, at, 2)).toBe(2);
  expect(findRow("b", 3, at, 2)).toBe(1);
  expect(findRow("gone", 3, at, 2)).toBe(2);
});

test("open findings are those that need a person and were not tried", () => {
  const counts = {
    needs_you: 11,
    fix_ready: 4,
    no_safe_fix: 2,
    running: 1,
    fixed: 3,
    dismissed: 0,
    suppressed: 1,
    all: 16,
  };
  expect(openCount(counts)).toBe(5);
  expect(openCount(null)).toBe(0);
});

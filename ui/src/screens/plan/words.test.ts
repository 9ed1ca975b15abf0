import { expect, test } from "vitest";
import { LIST, type PlanPlace } from "../../routes";
import { atMostTime, costWords, parseMost, planRequest, rangeWords, unknownWords } from "./words";

test.each([
  ["", null],
  [" 12 ", 12],
  ["0", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["all", undefined],
])("%s findings at most", (text, most) => expect(parseMost(text)).toBe(most));

test("a limit that cannot be read is not sent", () => {
  const place: PlanPlace = { screen: "plan", findings: ["f"], budget: "much", most: "3", at: null, ...LIST };
  expect(planRequest(place)).toEqual({ findings: ["f"], project: null, severity: null, budget: null, most: 3 });
  expect(planRequest({ ...place, budget: "1.5" }).budget).toBe(1.5);
});

test("a cost that is not known is never nothing", () => {
  const known = { low: 0.01, high: 0.04 };
  const none = { low: 0, high: 0 };
  expect(costWords({ known: none, unknown: 0 }, 0)).toBe("nothing");
  expect(costWords({ known: none, unknown: 0 }, 1)).toBe("$0.00");
  expect(costWords({ known: none, unknown: 2 }, 2)).toBe("not known");
  expect(costWords({ known, unknown: 1 }, 3)).toBe("$0.01 to $0.04");
  expect(unknownWords({ known, unknown: 0 })).toBeNull();
  expect(unknownWords({ known, unknown: 1 })).toBe("and 1 question whose price is not known");
});

test.each([
  [2, 2, "$2.00"],
  [0.033864, 0.128973, "$0.033 to $0.13"],
  [0, 0.000021, "$0.00 to $0.000021"],
  [0.13, 0.130001, "$0.13 to $0.14"],
  [12.3456, 123.456, "$12.34 to $123.46"],
])("from %d to %d is %s", (low, high, words) => expect(rangeWords({ low, high })).toBe(words));

test.each([
  [30, "30 s"],
  [119, "119 s"],
  [120, "2 min"],
  [121, "3 min"],
  [3600, "1 h"],
  [4800, "1 h 20 min"],
])("%i seconds are %s", (seconds, words) => expect(atMostTime(seconds)).toBe(words));

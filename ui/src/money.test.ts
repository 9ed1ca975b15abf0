import { expect, test } from "vitest";
import { money, parseMoney, typed, used } from "./money";

test.each([
  [null, "not known"],
  [0, "$0.00"],
  [0.47, "$0.47"],
  [1.5, "$1.50"],
  [0.000123, "$0.000123"],
  [0.1 + 0.2, "$0.30"],
  [1234567.5, "$1,234,567.50"],
  [999_999_999.999999, "$999,999,999.999999"],
  ["1000000000.000001", "$1,000,000,000.000001"],
] as const)("%s is written as %s", (amount, text) => expect(money(amount)).toBe(text));

test.each([
  ["", null],
  ["  ", null],
  ["5", 5],
  ["$5.00", 5],
  ["$1,234.50", 1234.5],
  ["0.000001", 0.000001],
  ["0.0000001", undefined],
  ["-1", undefined],
  ["1,5", undefined],
  ["1e3", undefined],
  ["five", undefined],
])("%j is read as %s", (text, amount) => expect(parseMoney(text)).toBe(amount));

test.each([0, 0.47, 1234.5, 0.000001])("%s comes back from its field", (amount) =>
  expect(parseMoney(typed(amount))).toBe(amount),
);

test.each([
  [1, null, null],
  [1, 4, 0.25],
  [5, 4, 1],
  [0, 0, 1],
])("%s of %s is %s of it", (spent, cap, share) => expect(used(spent, cap)).toBe(share));

import { expect, test } from "vitest";
import { age, ago, count, duration, fileName, folderOf, looksLikeLog, place, sentence, signed } from "./format";

const NOW = 1_700_000_000_000;

test.each([
  [0, "now", "just now"],
  [-5_000, "now", "just now"],
  [59_999, "now", "just now"],
  [60_000, "1 min", "1 min ago"],
  [3_600_000 * 2.9, "2 h", "2 h ago"],
  [86_400_000 * 5, "5 d", "5 d ago"],
])("%d ms ago reads %s", (passed, short, long) => {
  expect(age(NOW - passed, NOW)).toBe(short);
  expect(ago(NOW - passed, NOW)).toBe(long);
});

test.each([
  [0, "0.0 s"],
  [1_840, "1.8 s"],
  [21_400, "21 s"],
  [107_900, "1:47"],
])("%d ms take %s", (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  [1, "1 file"],
  [0, "0 files"],
  [1_234, "1,234 files"],
])("%d counts as %s", (n, text) => expect(count(n, "file")).toBe(text));

test.each([
  [1.3, "+1.30"],
  [-0.8, "\u22120.80"],
  [0, "+0.00"],
])("%d has its sign: %s", (value, text) => expect(signed(value)).toBe(text));

test.each([
  ["the file changed", "The file changed."],
  ["`a.py` changed", "`a.py` changed."],
  ["argon2 is in no manifest", "argon2 is in no manifest."],
  ["Done already.", "Done already."],
  ["  ", ""],
])("%j becomes the sentence %j", (text, expected) => expect(sentence(text)).toBe(expected));

test("a place says what is known of it", () => {
  expect(place("a.py", 3)).toBe("a.py:3");
  expect(place("a.py", null)).toBe("a.py");
  expect(place(null, null)).toBe("no place in this project");
});

test.each([
  ["/home/ana/shop/report.sarif", "report.sarif", "/home/ana/shop", true],
  ["C:\\shop\\Report.SARIF", "Report.SARIF", "C:\\shop", true],
  ["/srv/out.sarif.json", "out.sarif.json", "/srv", true],
  ["/home/ana/shop/", "shop", "/home/ana/shop", false],
  ["/home/ana/sarif", "sarif", "/home/ana", false],
])("%s is told apart", (path, name, folder, log) => {
  expect([fileName(path), folderOf(path), looksLikeLog(path)]).toEqual([name, folder, log]);
});

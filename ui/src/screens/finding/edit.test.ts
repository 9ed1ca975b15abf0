import { expect, test } from "vitest";
import { changedWords, firstChange, indentAt, lineNumbers } from "./edit";

test("an editor opens at the first line that is different", () => {
  expect(firstChange("a\nb\nc", "a\nB\nc")).toEqual({ line: 1, at: 2 });
  expect(firstChange("a\nb", "a\nb\nc")).toEqual({ line: 2, at: 4 });
  expect(firstChange("a\nb", "a\nb")).toEqual({ line: 0, at: 0 });
  expect(firstChange("a\r\nb\r\nc", "a\nB\nc")).toEqual({ line: 1, at: 2 });
});

test("a new line begins as far in as the one before", () => {
  const text = "def f():\n    return 1\n\tx";
  expect(indentAt(text, 8)).toBe("");
  expect(indentAt(text, 21)).toBe("    ");
  // Within the blanks no more of them come than are there.
  expect(indentAt(text, 11)).toBe("  ");
  expect(indentAt(text, text.length)).toBe("\t");
  expect(indentAt("", 0)).toBe("");
});

test("lines are numbered, and files are named", () => {
  expect(lineNumbers("a\nb\n")).toBe("1\n2\n3");
  expect(changedWords(["src/a.py"])).toBe("a.py");
  expect(changedWords(["1", "2", "3", "4", "5"])).toBe("1, 2, 3 and 2 more");
});

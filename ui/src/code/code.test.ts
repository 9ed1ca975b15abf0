import { expect, test } from "vitest";
import type { DiffLine, FileDiff } from "../backend/generated";
import { highlight, parserOf } from "./highlight";
import { patchText } from "./patch";
import { commonIndent, piecesOf } from "./pieces";

async function coloured(language: string, lines: string[]): Promise<string[][]> {
  const parser = await parserOf(language);
  if (parser === undefined) throw new Error(`no parser for ${language}`);
  return highlight(parser, lines).map((tokens, index) =>
    tokens.map(({ from, to, token }) => `${token} ${lines[index]?.slice(from, to)}`),
  );
}

test("Python is coloured, also where a string spans lines", async () => {
  expect(await coloured("Python", ["def f(a):", '    """One', '    two"""', "    return 12  # why"])).toEqual([
    ["keyword def", "name f"],
    ['string """One'],
    ['string     two"""'],
    ["keyword return", "literal 12", "comment # why"],
  ]);
});

test("JavaScript, TypeScript and Java are coloured by their own grammar", async () => {
  expect(await coloured("JavaScript", ['const a = "b";'])).toEqual([["keyword const", 'string "b"']]);
  expect(await coloured("TypeScript", ["type A = 1;"])).toEqual([["keyword type", "name A", "literal 1"]]);
  expect(await coloured("Java", ["final int x = 2; // y"])).toContainEqual(
    expect.arrayContaining(["literal 2", "comment // y"]),
  );
});

test("a language without a grammar stays plain", () => {
  expect(parserOf("COBOL")).toBeUndefined();
  expect(parserOf(null)).toBeUndefined();
});

test("a line is cut where colours and marks begin and end", () => {
  const pieces = piecesOf("return x", [{ from: 0, to: 6, token: "keyword" }], [{ from: 3, to: 8 }]);
  expect(pieces).toEqual([
    { text: "ret", token: "keyword", marked: false },
    { text: "urn", token: "keyword", marked: true },
    { text: " x", token: null, marked: true },
  ]);
});

test("what all lines begin with can be left out", () => {
  expect(commonIndent(["    a", "", "      b"])).toBe(4);
  expect(commonIndent(["    a", "\tb"])).toBe(0);
  expect(commonIndent([])).toBe(0);
  expect(piecesOf("    ab", [{ from: 0, to: 5, token: "name" }], [], 4)).toEqual([
    { text: "a", token: "name", marked: false },
    { text: "b", token: null, marked: false },
  ]);
});

test("a mark past the end of the line is held to it", () => {
  expect(piecesOf("ab", [], [{ from: 1, to: 99 }])).toEqual([
    { text: "a", token: null, marked: false },
    { text: "b", token: null, marked: true },
  ]);
});

function line(kind: DiffLine["kind"], old: number | null, now: number | null, ...texts: string[]): DiffLine {
  return { kind, old, new: now, pieces: texts.map((text) => ({ text, changed: false })) };
}

test("a fix becomes a unified diff", () => {
  const file: FileDiff = {
    path: "a.py",
    language: "Python",
    added: 2,
    removed: 1,
    hunks: [
      {
        lines: [
          line("same", 4, 4, "x = 1"),
          line("removed", 5, null, "y", " = 2"),
          line("added", null, 5, "y = 3"),
          line("added", null, 6, "z = 4"),
        ],
      },
    ],
  };
  expect(patchText([file])).toBe("--- a/a.py\n+++ b/a.py\n@@ -4,2 +4,3 @@\n x = 1\n-y = 2\n+y = 3\n+z = 4\n");
});

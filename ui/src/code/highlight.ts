/**
 * Colours for code, line by line: Lezer parsers, loaded when their language is first shown.
 *
 * The text may be a piece of a file; what a parser cannot place stays plain.
 */
import type { Parser } from "@lezer/common";
import { highlightTree, tagHighlighter, tags } from "@lezer/highlight";

export type TokenClass = "keyword" | "string" | "name" | "literal" | "comment";

/** A coloured stretch of one line, in UTF-16 code units. */
export type Token = { from: number; to: number; token: TokenClass };

const LOADERS: Record<string, () => Promise<Parser>> = {
  python: async () => (await import("@lezer/python")).parser,
  java: async () => (await import("@lezer/java")).parser,
  javascript: async () => (await import("@lezer/javascript")).parser.configure({ dialect: "jsx" }),
  typescript: async () => (await import("@lezer/javascript")).parser.configure({ dialect: "ts" }),
  tsx: async () => (await import("@lezer/javascript")).parser.configure({ dialect: "ts jsx" }),
};

const loaded = new Map<string, Promise<Parser>>();

/** The parser of a language as people write it; `undefined` where there is none. */
export function parserOf(language: string | null): Promise<Parser> | undefined {
  const key = language?.toLowerCase() ?? "";
  const load = LOADERS[key];
  if (load === undefined) return undefined;
  const known = loaded.get(key) ?? load();
  loaded.set(key, known);
  return known;
}

const highlighter = tagHighlighter([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.bool, tags.null, tags.self], class: "keyword" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], class: "string" },
  {
    tag: [
      tags.function(tags.variableName),
      tags.function(tags.propertyName),
      tags.function(tags.definition(tags.variableName)),
      tags.definition(tags.function(tags.propertyName)),
      tags.className,
      tags.typeName,
      tags.meta,
      tags.tagName,
    ],
    class: "name",
  },
  { tag: [tags.number], class: "literal" },
  { tag: [tags.comment], class: "comment" },
]);

/** The tokens of each of `lines`. */
export function highlight(parser: Parser, lines: readonly string[]): Token[][] {
  const tokens: Token[][] = lines.map(() => []);
  const starts: number[] = [];
  let start = 0;
  for (const line of lines) {
    starts.push(start);
    start += line.length + 1;
  }
  let at = 0;
  highlightTree(parser.parse(lines.join("\n")), highlighter, (from, to, token) => {
    while (at + 1 < starts.length && (starts[at + 1] ?? 0) <= from) at += 1;
    for (let line = at; line < lines.length && (starts[line] ?? 0) < to; line += 1) {
      const offset = starts[line] ?? 0;
      const length = lines[line]?.length ?? 0;
      const piece = { from: Math.max(0, from - offset), to: Math.min(length, to - offset) };
      if (piece.from < piece.to) tokens[line]?.push({ ...piece, token: token as TokenClass });
    }
  });
  return tokens;
}

/** Small readings of a text that is edited. Pure. */

/** Where `after` first differs from `before`: the line, from 0, and the character at which that line begins. */
export function firstChange(before: string, after: string): { line: number; at: number } {
  // A text field has plain line ends, whatever the file has.
  const [old, now] = [before.split(/\r\n?|\n/), after.split(/\r\n?|\n/)];
  const line = now.findIndex((text, index) => text !== old[index]);
  if (line < 0) return { line: 0, at: 0 };
  const above = now.slice(0, line);
  return { line, at: above.reduce((sum, text) => sum + text.length + 1, 0) };
}

/** The blanks with which the line begins that holds the character at `at`, up to it. */
export function indentAt(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, at))?.[0] ?? "";
}

/** One number for each line, below one another. */
export function lineNumbers(text: string): string {
  return Array.from(text.split("\n"), (_, index) => index + 1).join("\n");
}

/** File names in a sentence. */
export function changedWords(paths: readonly string[]): string {
  const names = paths.map((path) => path.split("/").at(-1) ?? path);
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

/** Which entries of the palette a few letters mean. Pure. */
export type PaletteEntry = {
  title: string;
  chord?: string | undefined;
  disabled?: string | undefined;
  run: () => void;
};

/** Entries in which every word of `query` begins a word; else those that merely contain it; in their own order. */
export function search(entries: readonly PaletteEntry[], query: string): PaletteEntry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...entries];
  const all = (title: string, fits: (title: string, word: string) => boolean) =>
    words.every((word) => fits(title.toLowerCase(), word));
  const begins = entries.filter(({ title }) =>
    all(title, (text, word) => ` ${text.replaceAll(/[^\p{L}\p{N}]+/gu, " ")}`.includes(` ${word}`)),
  );
  const contains = entries.filter(
    (entry) => !begins.includes(entry) && all(entry.title, (text, word) => text.includes(word)),
  );
  return [...begins, ...contains];
}

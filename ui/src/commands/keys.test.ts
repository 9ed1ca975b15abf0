import { expect, test } from "vitest";
import { type KeyPress, chordOf, isSingleKey, keyCaps } from "./keys";

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held };
}

test.each<[KeyPress, string | null]>([
  [press("j"), "j"],
  [press("J", { shiftKey: true }), "Shift+j"],
  [press("?", { shiftKey: true }), "?"],
  [press("k", { ctrlKey: true }), "Mod+k"],
  [press("k", { metaKey: true }), "Mod+k"],
  [press("Enter", { shiftKey: true }), "Shift+Enter"],
  [press("Escape"), "Escape"],
  [press("Shift", { shiftKey: true }), null],
  [press("a", { altKey: true }), null],
  [press("ArrowUp", { altKey: true }), "Alt+ArrowUp"],
])("a key press reads as a chord: %o", (given, chord) => expect(chordOf(given)).toBe(chord));

test.each([
  ["j", true],
  ["Shift+r", true],
  ["g i", true],
  ["?", true],
  ["Mod+k", false],
  ["Escape", false],
  ["ArrowDown", false],
  ["Alt+ArrowDown", false],
])("%s is a key that types text: %s", (chord, single) => expect(isSingleKey(chord)).toBe(single));

test.each([
  ["Mod+k", false, ["Ctrl K"]],
  ["Mod+k", true, ["⌘ K"]],
  ["g i", false, ["G", "I"]],
  ["Shift+r", false, ["Shift R"]],
  ["Escape", false, ["Esc"]],
  ["Alt+ArrowUp", false, ["Alt ↑"]],
])("%s is shown as key caps", (chord, mac, caps) => expect(keyCaps(chord, mac)).toEqual(caps));

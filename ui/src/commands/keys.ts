/**
 * Keys as text: `j`, `Shift+r`, `Mod+k`, `Escape`, `?`, and sequences such as `g i`. Pure.
 *
 * `Mod` is Command on a Mac and Control elsewhere. Shift counts for letters and named keys only: `?` is `?`
 * whatever had to be held down for it. Alt counts for arrows only: with others it types characters.
 */

export type KeyPress = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

/** The chord of a key press; `null` for a modifier alone and for combinations that are not ours. */
export function chordOf(press: KeyPress): string | null {
  const { key } = press;
  if (key === "Shift" || key === "Control" || key === "Alt" || key === "Meta" || key === "Dead") return null;
  if (press.altKey && !key.startsWith("Arrow")) return null;
  const mod = press.ctrlKey || press.metaKey;
  const letter = /^\p{L}$/u.test(key);
  const shift = press.shiftKey && (letter || key.length > 1);
  return `${mod ? "Mod+" : ""}${press.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${letter ? key.toLowerCase() : key}`;
}

/** Whether a person may type it as text: a single character without Control, Command or Alt. */
export function isSingleKey(chord: string): boolean {
  return chord.split(" ").some((part) => part.replace(/^Shift\+/, "").length === 1 && !part.startsWith("Mod+"));
}

const NAMES: Record<string, string> = {
  Escape: "Esc",
  ArrowDown: "↓",
  ArrowUp: "↑",
  PageDown: "PgDn",
  PageUp: "PgUp",
};

/** A chord for the eye: one text per key cap. */
export function keyCaps(chord: string, mac: boolean): string[] {
  return chord.split(" ").map((part) => {
    const pieces = part.split("+").map((piece) => {
      if (piece === "Mod") return mac ? "⌘" : "Ctrl";
      if (piece === "Alt") return mac ? "⌥" : "Alt";
      return NAMES[piece] ?? (piece.length === 1 ? piece.toUpperCase() : piece);
    });
    return pieces.join(" ");
  });
}

/** For `aria-keyshortcuts`. */
export function ariaKeys(chord: string, mac: boolean): string {
  return chord.replace("Mod", mac ? "Meta" : "Control");
}

export const isMac = (): boolean => /Mac/.test(navigator.platform);

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

type Scheme = "light" | "dark";
type Rgb = [number, number, number];

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const HIGH = css.indexOf("@media (prefers-contrast: more)");

/** The colours of one scheme, as linear sRGB. */
function colours(scheme: Scheme, high: boolean): Map<string, Rgb> {
  const text = high ? css : css.slice(0, HIGH);
  const pairs = text.matchAll(/--([\w-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\)/g);
  return new Map(
    [...pairs].map(([, name, light, dark]) => [`${name}`, fromOklch(`${scheme === "light" ? light : dark}`)]),
  );
}

/** Björn Ottosson's Oklab matrices; out-of-gamut channels are clipped, as a screen does. */
function fromOklch(text: string): Rgb {
  const [L = 0, C = 0, h = 0] = text.split(" ").map(Number);
  const a = C * Math.cos((h * Math.PI) / 180);
  const b = C * Math.sin((h * Math.PI) / 180);
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const rgb: Rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return rgb.map((channel) => Math.min(1, Math.max(0, channel))) as Rgb;
}

/** The contrast ratio of WCAG 2. */
function contrast(one: Rgb, other: Rgb): number {
  const [dark = 0, light = 0] = [one, other]
    .map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b)
    .toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const PLAIN = ["surface-frame", "surface", "surface-code", "surface-hover", "surface-inset", "surface-selected"];
const CODE = [
  "surface-code",
  "surface-selected",
  "code-mark",
  "diff-add",
  "diff-add-word",
  "diff-remove",
  "diff-remove-word",
];
const LISTS = PLAIN.filter((surface) => surface !== "surface-inset");
const named = (prefix: string, names: string[]) => names.map((name) => `${prefix}-${name}`);

/** Which text stands on which surfaces, and the ratio that it needs there. */
const PAIRS: [string[], string[], number][] = [
  [["text", "text-muted", "text-faint", "accent"], PLAIN, 4.5],
  [["text-on-accent"], ["surface-accent"], 4.5],
  [named("severity", ["critical", "high", "medium", "low", "note"]), LISTS, 4.5],
  [named("verdict", ["pass", "fail", "flaky", "not-run", "not-available"]), LISTS, 4.5],
  [["text", ...named("syntax", ["keyword", "string", "name", "number", "comment"])], CODE, 4.5],
  [["diff-add-text"], ["diff-add", "surface", "surface-frame"], 4.5],
  [["diff-remove-text"], ["diff-remove", "surface", "surface-frame"], 4.5],
  [["accent-line"], PLAIN, 3],
  [["border-control"], ["surface", "surface-code", "surface-frame"], 3],
];

describe.each<[Scheme, boolean]>([
  ["light", false],
  ["dark", false],
  ["light", true],
  ["dark", true],
])("%s, more contrast: %s", (scheme, high) => {
  const known = colours(scheme, high);
  const colour = (name: string): Rgb => {
    const found = known.get(name);
    if (found === undefined) throw new Error(`no colour is called ${name}`);
    return found;
  };
  const cases = PAIRS.flatMap(([texts, surfaces, least]) => texts.map((text) => ({ text, surfaces, least })));
  test.each(cases)("$text is readable on all of its surfaces", ({ text, surfaces, least }) => {
    const weak = surfaces.filter((surface) => contrast(colour(text), colour(surface)) < least);
    expect(weak).toEqual([]);
  });
});

test("black on white is 21, and a colour on itself is 1", () => {
  expect(contrast([0, 0, 0], [1, 1, 1])).toBeCloseTo(21);
  expect(contrast(fromOklch("0.5 0.1 20"), fromOklch("0.5 0.1 20"))).toBe(1);
});

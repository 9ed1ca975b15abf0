import { expect, test } from "vitest";
import type { Screen } from "../routes";
import { SCREEN_NAMES } from "./key-sheet";
import { COMMAND_IDS, type CommandInfo, infoOf, worksOn } from "./registry";

// Complete by its type.
const SCREENS = Object.keys(SCREEN_NAMES) as Screen[];

/** Keys that two commands of one screen share, or that start another's sequence, unless one openly goes before. */
function clashes(commands: [string, CommandInfo][]): string[] {
  const keys = commands
    .filter(([, info]) => info.before !== true)
    .flatMap(([id, info]) => info.keys.map((key) => ({ id, key })));
  return keys.flatMap(({ id, key }, index) =>
    keys
      .slice(index + 1)
      .filter((other) => other.key === key || other.key.startsWith(`${key} `) || key.startsWith(`${other.key} `))
      .map((other) => `${key}: ${id}, ${other.id}`),
  );
}

function withKeys(...keys: string[]): CommandInfo {
  return { title: "", keys };
}

test.each(SCREENS)("no key means two things on %s", (screen) => {
  const here = COMMAND_IDS.filter((id) => worksOn(id, screen)).map((id): [string, CommandInfo] => [id, infoOf(id)]);
  expect(here.length).toBeGreaterThan(5);
  expect(clashes(here)).toEqual([]);
});

test("what goes before another is found before it", () => {
  const before = COMMAND_IDS.filter((id) => infoOf(id).before === true);
  expect(before.length).toBeGreaterThan(0);
  expect(COMMAND_IDS.slice(0, before.length)).toEqual(before);
});

test("a shared key and a swallowed sequence are found", () => {
  expect(
    clashes([
      ["one", withKeys("a", "g")],
      ["two", withKeys("a")],
      ["three", withKeys("g i")],
    ]),
  ).toEqual(["a: one, two", "g: one, three"]);
});

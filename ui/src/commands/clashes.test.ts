import { expect, test } from "vitest";
import type { Screen } from "../routes";
import { COMMAND_IDS, type CommandInfo, infoOf, worksOn } from "./registry";

const SCREENS: Screen[] = ["inbox", "finding", "welcome", "machine"];

/** Keys that two commands of one screen share, or that start another's sequence. */
function clashes(commands: [string, CommandInfo][]): string[] {
  const keys = commands.flatMap(([id, info]) => info.keys.map((key) => ({ id, key })));
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

test("a shared key and a swallowed sequence are found", () => {
  expect(
    clashes([
      ["one", withKeys("a", "g")],
      ["two", withKeys("a")],
      ["three", withKeys("g i")],
    ]),
  ).toEqual(["a: one, two", "g: one, three"]);
});

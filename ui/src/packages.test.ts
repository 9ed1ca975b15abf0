import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));

const ALLOWED = new Set(["0BSD", "Apache-2.0", "Apache-2.0 OR MIT", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"]);

test("every package comes under a licence that may be used", () => {
  const packages: [string, { license?: string }][] = Object.entries(read("package-lock.json").packages);
  expect(packages.length).toBeGreaterThan(50);
  expect(packages.filter(([, { license }]) => !ALLOWED.has(`${license}`))).toEqual([]);
});

test("every version is pinned", () => {
  const { dependencies, devDependencies } = read("package.json");
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(`${version}`),
  );
  expect(loose).toEqual([]);
});

/** What the page weighs before anything is shown, and what the window's policy allows it. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "../../ui/e2e";

const ROOT = resolve(import.meta.dirname, "../..");
const DIST = join(ROOT, "ui/dist");

/** Bytes of script, gzipped, that may be loaded at the start. */
const BUDGET = 350_000;

type Chunk = { file: string; imports?: string[] };

test("the first script stays within its budget", async () => {
  const manifest: Record<string, Chunk> = JSON.parse(await readFile(join(DIST, ".vite/manifest.json"), "utf8"));
  const files = new Set<string>();
  const add = (key: string) => {
    const chunk = manifest[key];
    if (chunk === undefined || files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const imported of chunk.imports ?? []) add(imported);
  };
  add("index.html");
  expect(files.size).toBeGreaterThan(0);
  const sizes = await Promise.all([...files].map(async (file) => gzipSync(await readFile(join(DIST, file))).length));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(BUDGET);
});

test("nothing unsafe is allowed in the window", async () => {
  const { app } = JSON.parse(await readFile(join(ROOT, "tauri.conf.json"), "utf8"));
  const directives = Object.entries<string>(app.security.csp);
  expect(directives.length).toBeGreaterThan(5);
  expect(directives.filter(([, sources]) => /unsafe|https?:(?!\/\/ipc\.localhost)|\*/.test(sources))).toEqual([]);
  expect(app.security.freezePrototype).toBe(true);
});

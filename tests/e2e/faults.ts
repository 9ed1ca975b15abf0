/** What keeps a screen from being used: axe's serious faults, and what does not fit into the window. */
import { type Page, axe } from "../../ui/e2e";

/** Faults that bar somebody from using the screen. */
export async function faults(app: Page): Promise<string[]> {
  if (await app.evaluate(() => !("axe" in globalThis))) await app.evaluate(axe.source);
  // Half of a change of colour is no colour of the page.
  await app.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
  const { violations } = await app.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

/** How far the page is wider than the window, in pixels. */
export function overflow(app: Page): Promise<number> {
  return app.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

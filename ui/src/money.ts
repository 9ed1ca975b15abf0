/**
 * Amounts of US dollars, exact to a millionth. Pure.
 *
 * The core sends a number, or text where a number would have lost digits; neither is ever rounded here.
 */

/** Below a millionth there is nothing. */
const DECIMALS = 6;

/** `$0.00`, `$1,234.50`, `$0.000123`: two decimals at least, and as many as it takes to be exact. */
export function money(amount: number | string | null): string {
  if (amount === null) return "not known";
  const [whole = "0", fraction = ""] =
    typeof amount === "number" ? amount.toFixed(DECIMALS).split(".") : amount.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `$${grouped}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
}

/** What a person typed: an amount, nothing (`null`), or no amount at all (`undefined`). */
export function parseMoney(text: string): number | null | undefined {
  const trimmed = text
    .trim()
    .replace(/^\$\s*/, "")
    .replaceAll(/,(?=\d{3}(\D|$))/g, "");
  if (trimmed === "") return null;
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(trimmed)) return undefined;
  return Number(trimmed);
}

/** An amount for a field in which it can be changed. */
export function typed(amount: number | string | null): string {
  return amount === null ? "" : money(amount).slice(1).replaceAll(",", "");
}

/** How much of `cap` is used, from 0 to 1; `null` where there is no cap. */
export function used(spent: number | null, cap: number | null): number | null {
  if (cap === null || spent === null) return null;
  return cap === 0 ? 1 : Math.min(1, spent / cap);
}

/** Which field of a form an error of the core is about, so that it can stand beside it. Pure. */
import type { ApiError } from "../../backend/generated";

/** Words of the core, and the field that they are about; the first that fits counts. */
const WORDS: readonly [RegExp, string][] = [
  [/environment variable/, "key_env"],
  [/\bheader\b/, "headers"],
  [/names no model/, "model"],
  [/names no program/, "command"],
  [/at this address|\baddress\b/, "base_url"],
  [/model file|absolute path|GGUF|no such file/i, "file"],
  [/cannot work with nothing/, "context_tokens"],
  [/without a thread/, "threads"],
  [/would never be asked/, "max_concurrent"],
  [/already; give|model’s name is|is the name of something else/, "name"],
];

/** The field among `fields` that `error` names; `null` where it is about none of them. */
export function fieldOf({ message }: Pick<ApiError, "message">, fields: readonly string[]): string | null {
  return WORDS.find(([words, field]) => fields.includes(field) && words.test(message))?.[1] ?? null;
}

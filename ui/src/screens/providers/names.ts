/** What things are called: how an API speaks, and names for people that nobody has typed. Pure. */
import type { ApiDialect } from "../../backend/generated";

export const DIALECTS: Record<ApiDialect, string> = {
  anthropic: "Anthropic Messages",
  openai_responses: "OpenAI Responses",
  openai_chat: "OpenAI chat completions",
  gemini: "Google Gemini",
  ollama: "Ollama",
};

/** A name for people that nobody has typed: the last part where the model is named by a path. */
export function nameFor(model: string): string {
  return model.trim().split("/").at(-1) ?? "";
}

/** `name`, with a number where another has it already. */
export function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  for (let n = 2; ; n += 1) {
    const next = `${name} ${n}`;
    if (!taken.includes(next)) return next;
  }
}

/** Facts about hosted APIs that many people have a key for: where each begins and how it speaks. */
import type { ApiDialect } from "../../backend/generated";

export type KnownHost = {
  id: string;
  title: string;
  /** Where the API begins. */
  url: string;
  dialect: ApiDialect;
  /** The variable that its own tools read the key from. */
  variable: string;
};

export const HOSTS: readonly KnownHost[] = [
  {
    id: "anthropic",
    title: "Anthropic",
    url: "https://api.anthropic.com",
    dialect: "anthropic",
    variable: "ANTHROPIC_API_KEY",
  },
  {
    id: "openai",
    title: "OpenAI",
    url: "https://api.openai.com/v1",
    dialect: "openai_responses",
    variable: "OPENAI_API_KEY",
  },
  {
    id: "gemini",
    title: "Google Gemini",
    url: "https://generativelanguage.googleapis.com/v1beta",
    dialect: "gemini",
    variable: "GEMINI_API_KEY",
  },
  {
    id: "deepseek",
    title: "DeepSeek",
    url: "https://api.deepseek.com",
    dialect: "openai_chat",
    variable: "DEEPSEEK_API_KEY",
  },
  {
    id: "mistral",
    title: "Mistral",
    url: "https://api.mistral.ai/v1",
    dialect: "openai_chat",
    variable: "MISTRAL_API_KEY",
  },
  {
    id: "openrouter",
    title: "OpenRouter",
    url: "https://openrouter.ai/api/v1",
    dialect: "openai_chat",
    variable: "OPENROUTER_API_KEY",
  },
  {
    id: "groq",
    title: "Groq",
    url: "https://api.groq.com/openai/v1",
    dialect: "openai_chat",
    variable: "GROQ_API_KEY",
  },
  { id: "xai", title: "xAI", url: "https://api.x.ai/v1", dialect: "openai_chat", variable: "XAI_API_KEY" },
];

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

/** No model yet: that this is a fine place to be, and the three easiest ways to another one. */
import { Button } from "../../components/button";
import { Mark, type MarkName } from "../../components/mark";
import type { Way } from "./add";
import styles from "./empty.module.css";

const EASY: readonly { way: Way; mark: MarkName; title: string; text: string; action: string }[] = [
  {
    way: "server",
    mark: "machine",
    title: "A model that runs here",
    text: "If Ollama, LM Studio or llama.cpp runs on this machine, its models can be added with one click. No key, no cost, nothing leaves.",
    action: "Look for servers",
  },
  {
    way: "cli",
    mark: "right",
    title: "A program that you have",
    text: "Claude Code, Codex or Gemini CLI answer with their own login. They run in the sandbox, without tools.",
    action: "Choose a program",
  },
  {
    way: "api",
    mark: "key",
    title: "A key that you have",
    text: "A hosted model of Anthropic, OpenAI, Google or another. The key goes into your keychain; what leaves can be read first.",
    action: "Add an API",
  },
];

export function Empty({ onAdd }: { onAdd: (way: Way) => void }) {
  return (
    <div className={styles.empty}>
      <h2>No model yet, and none is needed</h2>
      <p>
        Detectors, recipes, the scanners’ own fixes and every check work without one. A model adds proposals of its own
        where no recipe fits. Three easy ways:
      </p>
      <ul>
        {EASY.map(({ way, mark, title, text, action }) => (
          <li key={way}>
            <Mark name={mark} size={16} />
            <div>
              <b>{title}</b>
              <p>{text}</p>
            </div>
            <Button onClick={() => onAdd(way)}>{action}</Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** How a model stands, as a shape with its word. */
import { Mark } from "../../components/mark";
import words from "../../components/words.module.css";
import type { Standing } from "./standing";

export function StandingWord({ standing: { mark, tone, word } }: { standing: Standing }) {
  return (
    <span className={`${words.word} ${words[tone]}`}>
      <Mark name={mark} />
      {word}
    </span>
  );
}

import { expect, test } from "vitest";
import { beginCheck, draftKey, draftOf, endCheck, isBeingChecked, keepDraft, onCheck } from "./drafts";

test("a draft is locked while it is checked, and goes only with the text that was sent", () => {
  const [key, other] = [draftKey("f", "1"), draftKey("f", "2")];
  let heard = 0;
  const leave = onCheck(() => (heard += 1));
  keepDraft(key, { "a.py": "one" });
  beginCheck(key);
  expect([isBeingChecked(key), isBeingChecked(other), heard]).toEqual([true, false, 1]);
  endCheck(key, false);
  expect([isBeingChecked(key), heard]).toEqual([false, 2]);
  expect(draftOf(key)).toEqual({ "a.py": "one" });

  beginCheck(key);
  keepDraft(key, { "a.py": "two" });
  endCheck(key, true);
  expect(draftOf(key)).toEqual({ "a.py": "two" });

  beginCheck(key);
  endCheck(key, true);
  expect(draftOf(key)).toBeUndefined();
  leave();
  beginCheck(key);
  expect(heard).toBe(6);
  endCheck(key, true);
});

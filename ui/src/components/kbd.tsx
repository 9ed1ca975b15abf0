/** Keys as caps, beside the control they work. Heard through `aria-keyshortcuts`, so hidden here. */
import { isMac, isSingleKey, keyCaps } from "../commands/keys";
import { useSingleKeys } from "../commands/active";
import { type CommandId, infoOf } from "../commands/registry";
import styles from "./kbd.module.css";

export function Keys({ chord }: { chord: string }) {
  return (
    <span className={styles.keys} aria-hidden="true">
      {keyCaps(chord, isMac()).map((cap) => (
        <kbd key={cap}>{cap}</kbd>
      ))}
    </span>
  );
}

/** The first key of a command, unless it is turned off. */
export function KeysOf({ command }: { command: CommandId }) {
  const single = useSingleKeys();
  const chord = infoOf(command).keys[0];
  if (chord === undefined || (!single && isSingleKey(chord))) return null;
  return <Keys chord={chord} />;
}

/** All keys of this screen, out of the registry. */
import { Dialog } from "../components/dialog";
import { Keys } from "../components/kbd";
import { Mark } from "../components/mark";
import { Button, IconButton } from "../components/button";
import type { Screen } from "../routes";
import { useActiveCommands, useSingleKeys } from "./active";
import styles from "./key-sheet.module.css";
import { COMMAND_IDS, type CommandId, infoOf, worksOn } from "./registry";

export const SCREEN_NAMES: Record<Screen, string> = {
  inbox: "Inbox",
  finding: "Finding",
  plan: "Plan",
  compare: "Compare",
  runs: "Runs",
  welcome: "Welcome",
  policy: "Policy",
  providers: "Models and keys",
  insights: "Insights",
  machine: "This machine",
};

export function KeySheet({ screen, onClose }: { screen: Screen; onClose: () => void }) {
  const active = useActiveCommands();
  const single = useSingleKeys();
  const here = COMMAND_IDS.filter((id) => infoOf(id).keys.length > 0 && worksOn(id, screen));
  const own = here.filter((id) => infoOf(id).screens !== undefined);
  const everywhere = here.filter((id) => infoOf(id).screens === undefined);
  return (
    <Dialog label="Keys" onClose={onClose}>
      <div className={styles.head}>
        <h2>Keys</h2>
        <IconButton label="Close" onClick={onClose}>
          <Mark name="close" size={12} />
        </IconButton>
      </div>
      <div className={styles.body} role="group" aria-label="Keys" tabIndex={0}>
        {own.length > 0 && <KeyList title={SCREEN_NAMES[screen]} ids={own} />}
        <KeyList title="Everywhere" ids={everywhere} />
      </div>
      <div className={styles.foot}>
        <span className="muted small">
          {single ? "Single-letter keys are on; they rest while you type." : "Single-letter keys are off."}
        </span>
        <Button onClick={() => active.toggleSingleKeys()}>{single ? "Turn them off" : "Turn them on"}</Button>
      </div>
    </Dialog>
  );
}

function KeyList({ title, ids }: { title: string; ids: CommandId[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl className={styles.keys}>
        {ids.map((id) => {
          const { title: what, keys } = infoOf(id);
          const shown = keys.length > 3 ? [`${keys[0]}`, `${keys.at(-1)}`] : keys;
          return (
            <div key={id}>
              <dt>{what}</dt>
              <dd>
                <span className="heard">{keys.join(", ")}</span>
                {shown.map((chord, index) => (
                  <span key={chord}>
                    {index > 0 && <i>{keys.length > 3 ? "–" : "or"}</i>}
                    <Keys chord={chord} />
                  </span>
                ))}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

/** Two changes beside each other, and nothing that says whose they are. */
import { useChange, useCommand } from "../../api/client";
import type { FixComparisonView, FileDiff, PairView, Preference } from "../../backend/generated";
import { Diff } from "../../code/code";
import { type Action, type Actions, useCommands } from "../../commands/active";
import { CommandButton } from "../../components/button";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { Footer, FooterNote } from "../../components/footer";
import { SectionHead } from "../../components/section";
import { SeverityWord } from "../../components/words";
import { count, place, sentence } from "../../format";
import { useNotices } from "../frame/notice";
import styles from "./compare.module.css";

export function Pair({ comparison }: { comparison: FixComparisonView }) {
  const { id, client } = comparison;
  const next = useCommand("get_next_pair", { comparison: id, client });
  const choose = useChange("choose_fix");
  const { sayError } = useNotices();
  const pair = next.data?.pair ?? null;
  const action = (preference: Preference): Action => ({
    run: () => {
      if (pair === null) return;
      choose.mutate(
        { pair: pair.id, preference, client },
        { onError: (error) => sayError("The choice was not kept", error) },
      );
    },
    disabled:
      pair === null ? "There is nothing to choose" : choose.isPending ? "The last choice is being kept" : undefined,
  });
  const actions: Actions = {
    "compare.left": action("left"),
    "compare.right": action("right"),
    "compare.both": action("both"),
    "compare.neither": action("neither"),
  };
  useCommands(actions);
  return (
    <>
      {next.error !== null && <ErrorNote error={next.error} onRetry={() => void next.refetch()} />}
      {pair !== null && <Shown key={pair.id} pair={pair} />}
      <Footer label="Your choice">
        <CommandButton command="compare.left" action={actions["compare.left"]}>
          Left
        </CommandButton>
        <CommandButton command="compare.right" action={actions["compare.right"]}>
          Right
        </CommandButton>
        <CommandButton command="compare.both" action={actions["compare.both"]}>
          Both alike
        </CommandButton>
        <CommandButton command="compare.neither" action={actions["compare.neither"]}>
          Neither
        </CommandButton>
        <FooterNote>A choice is made once. Whose they are is said when all are chosen.</FooterNote>
      </Footer>
    </>
  );
}

function Shown({ pair }: { pair: PairView }) {
  return (
    <>
      <div className={styles.about}>
        <p>
          <SeverityWord severity={pair.severity} /> <b>{pair.title}</b>{" "}
          <span className="faint">
            {place(pair.path, pair.line)}, {pair.tool} {pair.rule}
          </span>
        </p>
        {pair.message !== pair.title && <p>{sentence(pair.message)}</p>}
      </div>
      <div className={`${columns.columns} ${styles.sides}`}>
        <Side name="Left" id="left" files={pair.left} />
        <Side name="Right" id="right" files={pair.right} end={`${count(pair.waiting, "pair")} left`} />
      </div>
    </>
  );
}

function Side({ name, id, files, end }: { name: string; id: string; files: FileDiff[] | null; end?: string }) {
  return (
    <section className={`${columns.column} ${columns.scroll}`} aria-labelledby={id} tabIndex={0}>
      <SectionHead title={name} id={id} level={2} line={false} end={end} />
      {files === null ? <p className={styles.text}>This one has no fix.</p> : <Diff files={files} />}
    </section>
  );
}

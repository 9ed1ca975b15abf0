/** What just happened, above the status strip: failures until they are closed, and the newest of everything else. */
import { type ReactNode, createContext, useContext, useEffect, useMemo, useRef, useState } from "react";
import type { ApiError } from "../../backend/generated";
import { useCommands } from "../../commands/active";
import { Button, IconButton } from "../../components/button";
import { CopyDetail, meaningOf } from "../../components/error-note";
import { Mark, type MarkName } from "../../components/mark";
import { Prose } from "../../components/prose";
import { sentence } from "../../format";
import { currentPlace, usePlace } from "../../routes";
import styles from "./notice.module.css";
import { type Notice, type Shown, added, staying, whereOf } from "./notices";

type Say = {
  say: (notice: Notice) => void;
  sayError: (what: string, error: ApiError) => void;
};

const SayContext = createContext<Say>({ say: () => {}, sayError: () => {} });

const ShownContext = createContext<{ shown: readonly Shown[]; close: (id: number) => void }>({
  shown: [],
  close: () => {},
});

/** How to say what happened; the same for as long as the page lives. */
export function useNotices(): Say {
  return useContext(SayContext);
}

export function NoticeProvider({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState<readonly Shown[]>([]);
  const lastId = useRef(0);
  const where = whereOf(usePlace());
  const shown = staying(said, where);

  // Coming back shows nothing old.
  useEffect(() => setSaid((before) => staying(before, where)), [where]);

  const say = useMemo((): Say => {
    const put = (notice: Notice) => {
      lastId.current += 1;
      const next = { ...notice, id: lastId.current, where: whereOf(currentPlace()) };
      setSaid((before) => added(before, next));
    };
    return {
      say: put,
      sayError: (what, error) => {
        const lines = [sentence(error.message), meaningOf(error), sentence(error.hint ?? "")];
        put({ tone: "fail", title: what, lines: lines.filter((line) => line !== ""), error });
      },
    };
  }, []);
  const bars = useMemo(
    () => ({ shown, close: (id: number) => setSaid((before) => before.filter((one) => one.id !== id)) }),
    [shown],
  );
  return (
    <SayContext value={say}>
      <ShownContext value={bars}>{children}</ShownContext>
    </SayContext>
  );
}

export function NoticeBars() {
  const { shown, close } = useContext(ShownContext);
  const failure = shown.findLast(({ tone }) => tone === "fail");
  useCommands(failure === undefined ? {} : { "notice.close": { run: () => close(failure.id) } });
  return (
    <div className={styles.slot} role="status" aria-label="Notice" aria-atomic="false">
      {shown.map((notice) => (
        <Bar key={notice.id} notice={notice} onClose={() => close(notice.id)} />
      ))}
    </div>
  );
}

const MARKS: Record<Notice["tone"], MarkName> = { plain: "info", pass: "pass", fail: "fail" };

function Bar({ notice: { tone, title, lines, action, error }, onClose }: { notice: Notice; onClose: () => void }) {
  return (
    <div className={styles.bar} data-tone={tone}>
      <span className={styles.mark}>
        <Mark name={MARKS[tone]} />
      </span>
      <div className={styles.text}>
        <b>{title}</b>
        {lines?.map((line) => (
          <span key={line}>
            <Prose text={line} />
          </span>
        ))}
      </div>
      {action !== undefined && (
        <Button
          onClick={() => {
            onClose();
            action.run();
          }}
        >
          {action.label}
        </Button>
      )}
      {error !== undefined && <CopyDetail error={error} />}
      <IconButton label="Close the notice" onClick={onClose}>
        <Mark name="close" size={12} />
      </IconButton>
    </div>
  );
}

/** What left this machine and what was refused, newest first; what waits for an answer stands above it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useRef, useState } from "react";
import { useBackend, useChange, useCommand } from "../../api/client";
import type { ApiError, EgressOnly, EgressPage, EgressRow } from "../../backend/generated";
import { useCommands } from "../../commands/active";
import { Button } from "../../components/button";
import columns from "../../components/columns.module.css";
import { Decision } from "../../components/decision";
import { ErrorNote } from "../../components/error-note";
import { KeysOf } from "../../components/kbd";
import { Mark } from "../../components/mark";
import { Menu } from "../../components/menu";
import { SectionHead } from "../../components/section";
import { bytes, count, moment, sentence } from "../../format";
import { useNow } from "../../now";
import { useSettled } from "../../settled";
import { useNotices } from "../frame/notice";
import { focus } from "../../focus";
import styles from "./egress.module.css";
import { reviewWords, who } from "./waiting";

const ONLY: Record<EgressOnly, string> = { all: "Everything", sent: "What left", denied: "What was denied" };

export function Egress({ waiting }: { waiting: ReactNode }) {
  const backend = useBackend();
  const now = useNow();
  const [only, setOnly] = useState<EgressOnly>("all");
  const [text, setText] = useState("");
  const filter = useSettled(text.trim(), 200);
  const field = useRef<HTMLInputElement>(null);
  useCommands({ "policy.filter": { run: () => field.current?.focus() } });
  const ledger = useCommand("verify_ledger", {});
  const pages = useInfiniteQuery<EgressPage, ApiError, EgressRow[], readonly unknown[], string | null>({
    queryKey: ["list_egress", { filter, only }],
    queryFn: ({ pageParam }) => backend.call("list_egress", { filter, only, cursor: pageParam, limit: 100 }),
    initialPageParam: null,
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    select: (data) => data.pages.flatMap(({ rows }) => rows),
  });
  const today = useCommand("list_egress", { filter: "", only: "all", limit: 1 }).data?.today;
  return (
    <>
      <div className={columns.bar}>
        <h2 id="egress" className="grow">
          Egress ledger
        </h2>
        {ledger.data !== undefined && (
          <span className={styles.chain} data-intact={ledger.data.intact}>
            <Mark name={ledger.data.intact ? "pass" : "fail"} size={12} />
            {ledger.data.intact ? `Chain whole, ${count(ledger.data.rows, "row")}` : "Chain broken"}
          </span>
        )}
        <Button look="quiet" onClick={() => void ledger.refetch()}>
          Verify
        </Button>
        <Export />
      </div>
      <div className={columns.scroll} tabIndex={0} role="region" aria-label="What waits, and what left">
        {waiting}
        <div className={styles.tools}>
          <SectionHead
            title="Last 24 hours"
            line={false}
            note={
              today !== undefined &&
              `${bytes(today.bytes)} out in ${count(today.requests, "request")}, ${today.denied} denied`
            }
          />
          <input
            ref={field}
            className={styles.filter}
            aria-label="Filter by host, model or rule"
            placeholder="Filter"
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") event.currentTarget.blur();
            }}
          />
          <KeysOf command="policy.filter" />
          <Menu
            label={`Show: ${ONLY[only].toLowerCase()}`}
            items={(Object.keys(ONLY) as EgressOnly[]).map((key) => ({
              label: ONLY[key],
              checked: key === only,
              run: () => setOnly(key),
            }))}
          >
            <span className="faint">Show</span> {ONLY[only].toLowerCase()}
          </Menu>
        </div>
        {pages.error !== null && <ErrorNote error={pages.error} onRetry={() => void pages.refetch()} />}
        {pages.data !== undefined &&
          (pages.data.length === 0 ? (
            <p className={styles.none}>
              {filter === "" && only === "all"
                ? "Nothing has left this machine, and nothing asked to."
                : "None like that."}
            </p>
          ) : (
            <Table rows={pages.data} now={now} />
          ))}
        {pages.hasNextPage && (
          <div className={styles.none}>
            <Button onClick={() => void pages.fetchNextPage()} disabled={pages.isFetchingNextPage}>
              Show older
            </Button>
          </div>
        )}
        <p className={styles.foot}>Written before anything is sent; each row carries the hash of the one before.</p>
      </div>
    </>
  );
}

function Table({ rows, now }: { rows: EgressRow[]; now: number }) {
  return (
    <table className={styles.table}>
      <caption className="heard">Requests, newest first</caption>
      <thead>
        <tr>
          <th className={styles.num}>No.</th>
          <th className={styles.num}>When</th>
          <th>Who</th>
          <th>Where to</th>
          <th className={styles.num}>Out</th>
          <th className={styles.num}>Redacted</th>
          <th>Decision</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.seq} row={row} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row, now }: { row: EgressRow; now: number }) {
  const [open, setOpen] = useState(false);
  const sent = row.decision === "allow" && row.bytes !== null;
  return (
    <>
      <tr className={styles.row} data-open={open}>
        <td className={styles.num}>
          <button
            type="button"
            className={styles.open}
            aria-expanded={open}
            aria-label={`Row ${row.seq}`}
            onClick={() => setOpen(!open)}
          >
            {row.seq}
          </button>
        </td>
        <td className={`${styles.num} muted`}>{moment(row.at, now)}</td>
        <td className={styles.who} title={row.model ?? who(row.actor)}>
          {row.model ?? who(row.actor)}
        </td>
        <td className={styles.host} title={row.host}>
          <code className="path">{row.host}</code>
        </td>
        <td className={styles.num}>{sent && row.bytes !== null ? bytes(row.bytes) : "none"}</td>
        <td className={styles.num}>{row.redactions ?? "\u2013"}</td>
        <td>
          <Decision effect={row.decision} review={row.review} />
        </td>
      </tr>
      {open && (
        <tr className={styles.detail}>
          <td colSpan={7}>
            <dl>
              <dt>What for</dt>
              <dd>{sentence(row.purpose)}</dd>
              <dt>Address</dt>
              <dd>
                <code className="path">{row.address}</code>
                {!row.remote && <span className="faint">, this machine</span>}
              </dd>
              <dt>Who</dt>
              <dd>{who(row.actor)}</dd>
              <dt>Rule</dt>
              <dd>
                <code>{row.rule}</code>: {row.reason}
              </dd>
              {row.review !== null && (
                <>
                  <dt>Reviewer</dt>
                  <dd>{reviewWords(row.review)}</dd>
                </>
              )}
              <dt>Came of it</dt>
              <dd>{row.outcome ?? (row.decision === "allow" ? "not recorded" : "nothing was sent")}</dd>
              {row.digest !== null && (
                <>
                  <dt>Digest</dt>
                  <dd>
                    <code className="path">{row.digest}</code>
                  </dd>
                </>
              )}
            </dl>
          </td>
        </tr>
      )}
    </>
  );
}

function Export() {
  const [open, setOpen] = useState(false);
  const [path, setPath] = useState("");
  const save = useChange("export_ledger");
  const { say, sayError } = useNotices();
  if (!open) {
    return (
      <Button look="quiet" onClick={() => setOpen(true)}>
        Export…
      </Button>
    );
  }
  return (
    <form
      className={styles.export}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(
          { path: path.trim() },
          {
            onSuccess: (written) => {
              setOpen(false);
              const title = `${count(written.rows, "row")} written to ${written.path}`;
              say({ tone: "pass", title, lines: [`Last digest ${written.head}`] });
            },
            onError: (error) => sayError("The ledger was not exported", error),
          },
        );
      }}
    >
      <input
        aria-label="File to write the ledger to"
        placeholder="/path/to/ledger.jsonl"
        ref={focus}
        value={path}
        onChange={(event) => setPath(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setOpen(false);
        }}
      />
      <Button type="submit" disabled={path.trim() === "" || save.isPending}>
        Write
      </Button>
    </form>
  );
}

/** Tiers: how much effort findings get by how severe they are, for all projects or for one, and what that inherits. */
import { useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { Mode, Role, Severity, TierList, TierRow, TierView } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Check, Choice, Field } from "../../components/field";
import { Mark } from "../../components/mark";
import { SeverityWord, roleWord } from "../../components/words";
import { count } from "../../format";
import { parseMoney, typed } from "../../money";
import { useNotices } from "../frame/notice";
import styles from "./pane.module.css";
import own from "./tiers-pane.module.css";
import { capWords, isSame, parseSeconds, standingWord, tierWords } from "./tiers";

const ROLES: readonly Role[] = ["deep_reasoning", "pattern_matching", "logic", "fast", "specialised"];

const MODES = [
  ["panel", "All at once"],
  ["samples", "One model, once for each seat"],
  ["staged", "Three, then the rest if needed"],
  ["chain", "One after another, each improving"],
] as const satisfies readonly (readonly [Mode, string])[];

/** As many as a panel has at most. */
const MOST_SEATS = 16;

const EVERYWHERE = "";

/** Shows the tiers of the project `at`, by its id, or of all projects. */
export function TiersPane({ at, onAt }: { at: string | null; onAt: (project: string | null) => void }) {
  const { data: projects } = useCommand("list_projects", {});
  const items = projects?.items ?? [];
  const project = items.find(({ id }) => id === at);
  const root = project?.root ?? null;
  const { data: list, error, refetch, isPlaceholderData } = useCommand("get_tiers", { root }, projects !== undefined);
  const options: [string, string][] = [
    [EVERYWHERE, "all projects"],
    ...items.map(({ id, name }): [string, string] => [id, name]),
  ];
  return (
    <div className={styles.form}>
      <h2 className={styles.title}>Tiers</h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="How much effort findings get">
        <div className={own.scope}>
          <Choice
            label="Holds for"
            value={project?.id ?? EVERYWHERE}
            options={options}
            note={
              project === undefined
                ? "A project can have it otherwise; choose it here."
                : "What is not set for this project is as for all. No file in the project can change it."
            }
            onChoose={(id) => onAt(id === EVERYWHERE ? null : id)}
          />
        </div>
        {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
        {list !== undefined && !isPlaceholderData && <Rows key={root} list={list} project={project?.name} />}
      </div>
    </div>
  );
}

function Rows({ list, project }: { list: TierList; project: string | undefined }) {
  const [open, setOpen] = useState<Severity | null>(null);
  return (
    <ul className={own.tiers}>
      {list.tiers.map((row) => (
        <li key={row.severity}>
          <button
            type="button"
            className={own.row}
            aria-expanded={open === row.severity}
            onClick={() => setOpen(open === row.severity ? null : row.severity)}
          >
            <SeverityWord severity={row.severity} />
            <span>{count(row.tier.seats.length, "seat")}</span>
            <span>{row.tier.analysis_s} s</span>
            <span>{capWords(row.tier)}</span>
            <span className={own.standing} data-own={row.own}>
              {standingWord(row, project !== undefined)}
            </span>
            <Mark name={open === row.severity ? "down" : "right"} size={10} />
          </button>
          {open === row.severity && (
            // Another's change starts the fields anew.
            <Edit key={JSON.stringify(row.tier)} row={row} root={list.root} project={project} />
          )}
        </li>
      ))}
    </ul>
  );
}

function Edit({ row, root, project }: { row: TierRow; root: string | null; project: string | undefined }) {
  const { severity, tier, inherited } = row;
  const [seats, setSeats] = useState<readonly Role[]>(tier.seats);
  const [seconds, setSeconds] = useState(String(tier.analysis_s));
  const [cap, setCap] = useState(typed(tier.cap));
  const [mode, setMode] = useState(tier.mode);
  const [onDemand, setOnDemand] = useState(tier.on_demand);
  const save = useChange("save_tier");
  const reset = useChange("reset_tiers");
  const { say, sayError } = useNotices();

  const time = parseSeconds(seconds);
  const most = parseMoney(cap);
  const next: TierView | undefined =
    time === undefined || most === undefined
      ? undefined
      : { seats: [...seats], analysis_s: time, cap: most, mode, on_demand: onDemand };
  const whose = project ?? "all projects";
  const busy = save.isPending || reset.isPending;
  return (
    <form
      className={own.edit}
      aria-label={`Tier for ${severity} findings`}
      onSubmit={(event) => {
        event.preventDefault();
        if (next === undefined) return;
        save.mutate(
          { root, severity, tier: next },
          {
            onSuccess: () => say({ tone: "pass", title: `Holds for ${whose} from the next run on` }),
            onError: (error) => sayError("The tier is as it was", error),
          },
        );
      }}
    >
      <div className={own.group} role="group" aria-label="Seats">
        <span>Seats</span>
        <div className={own.seats}>
          {seats.map((seat, index) => (
            // Two seats may have one role; their order is what they are.
            <span key={index} className={own.seat}>
              <select
                aria-label={`Seat ${index + 1}`}
                value={seat}
                onChange={(event) => {
                  const role = ROLES.find((one) => one === event.target.value);
                  if (role !== undefined) setSeats(seats.with(index, role));
                }}
              >
                {ROLES.map((role) => (
                  <option key={role} value={role}>
                    {roleWord(role)}
                  </option>
                ))}
              </select>
              <Button
                look="quiet"
                aria-label={`Remove seat ${index + 1}`}
                onClick={() => setSeats(seats.toSpliced(index, 1))}
              >
                Remove
              </Button>
            </span>
          ))}
          {seats.length === 0 && (
            <span className={own.none}>No model is asked; recipes and scanners still propose.</span>
          )}
          {seats.length < MOST_SEATS && (
            <Button
              look="quiet"
              onClick={() => setSeats([...seats, ROLES.find((role) => !seats.includes(role)) ?? "fast"])}
            >
              Add a seat
            </Button>
          )}
        </div>
      </div>
      <Field
        label="Time"
        inputMode="numeric"
        value={seconds}
        fault={time === undefined ? "a number of seconds, 1 to 3600" : null}
        note="Seconds for answers; checks have a clock of their own."
        onChange={(event) => setSeconds(event.target.value)}
      />
      <Field
        label="At most"
        inputMode="decimal"
        placeholder="no limit"
        value={cap}
        fault={most === undefined ? "an amount in dollars, as in 1.50" : null}
        note="Dollars for one finding; empty is no limit of its own."
        onChange={(event) => setCap(event.target.value)}
      />
      <Choice label="Asked" value={mode} options={MODES} onChoose={setMode} />
      <div className={own.check}>
        <Check label="Only where I ask for the very finding" checked={onDemand} onChange={setOnDemand} />
      </div>
      <p className={own.inherited}>
        {project === undefined ? "As shipped" : "For all projects"}: {tierWords(inherited)}.
      </p>
      <div className={own.actions}>
        <Button type="submit" look="primary" disabled={next === undefined || isSame(next, tier) || busy}>
          {save.isPending ? "Saving…" : project === undefined ? "Save for all projects" : `Save for ${project}`}
        </Button>
        {row.own && (
          <Button
            look="quiet"
            disabled={busy}
            onClick={() =>
              reset.mutate(
                { root, severity },
                {
                  onSuccess: () =>
                    say({
                      tone: "plain",
                      title: project === undefined ? "As shipped again" : "As for all projects again",
                    }),
                  onError: (error) => sayError("The tier is as it was", error),
                },
              )
            }
          >
            {project === undefined ? "As shipped" : "As for all projects"}
          </Button>
        )}
      </div>
    </form>
  );
}

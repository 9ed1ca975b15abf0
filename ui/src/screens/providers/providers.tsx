/** Models and keys: who may be asked, in which order, how each does, what it costs; and a place for keys. */
import { useMemo, useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { ModelList, ModelRow } from "../../backend/generated";
import { type Action, type Actions, notYet, useCommands } from "../../commands/active";
import { CommandButton, IconButton } from "../../components/button";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { Footer } from "../../components/footer";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { Seats } from "../../components/seats";
import { focusFirst } from "../../focus";
import { count, sentence } from "../../format";
import { type Pane, type Place, go, providersAt } from "../../routes";
import { useModelActions } from "./actions";
import { Add, WAYS, type Way } from "./add";
import { useNotices } from "../frame/notice";
import { Empty } from "./empty";
import { SettingForm } from "./form";
import { HealthPane } from "./health-pane";
import { ImportPane } from "./import-pane";
import { Keys } from "./keys";
import { NOTHING } from "./known";
import { List } from "./list";
import { LocalOnly, useLocalOnly } from "./local-only";
import { Model } from "./model";
import { MoneyPane } from "./money-pane";
import styles from "./providers.module.css";
import { TiersPane } from "./tiers-pane";
import { ToolsPane } from "./tools-pane";
import { grouped } from "./standing";

/** Below this width one column shows at a time, as in the style sheet. */
const NARROW = "(max-width: 900px)";

export function Providers({ place }: { place: Extract<Place, { screen: "providers" }> }) {
  const { data: list, error, refetch } = useCommand("list_models", {});
  const show = (pane: Pane, at: string | null = null, how: "push" | "replace" = "push") =>
    go(providersAt(place, pane, at), how);
  const close = () => show("model", place.pane === "edit" ? place.at : null);

  const models = useMemo(() => list?.models ?? [], [list]);
  const shown = useMemo(() => grouped(models).flatMap(([, rows]) => rows), [models]);
  const named = place.pane === "model" || place.pane === "edit";
  // Where nothing is chosen the first one is shown, and stays shown when it moves.
  const [held, setHeld] = useState<string | null>(null);
  const called = (wanted: string | null) => shown.find(({ name }) => name === wanted);
  const row = named ? (called(place.at) ?? called(held) ?? shown[0]) : undefined;
  if (row !== undefined && row.name !== held) setHeld(row.name);
  const step = (by: number) => {
    const at = row === undefined ? 0 : shown.indexOf(row) + by;
    const next = shown[Math.max(0, Math.min(at, shown.length - 1))];
    if (next !== undefined) show("model", next.name, "replace");
  };
  const local = useLocalOnly(models);
  const testAll = useTestAll(models);
  const open = place.pane !== "model" || place.at !== null;
  // What needs no model works from the first moment on.
  const actions: Actions = {
    ...(list === undefined && error === null
      ? NOT_YET
      : {
          "providers.next": { run: () => step(1) },
          "providers.previous": { run: () => step(-1) },
          "providers.open": { run: () => row !== undefined && show("model", row.name) },
          "providers.test.all": testAll,
          "providers.local": local.action,
        }),
    ...(place.pane !== "model" || (open && matchMedia(NARROW).matches) ? { "providers.close": { run: close } } : {}),
    "providers.add": { run: () => show("add") },
    "providers.find": { run: () => show("add", "server") },
    "providers.import": { run: () => show("import") },
    "providers.health": { run: () => show("health") },
    "providers.money": { run: () => show("money") },
    "providers.tiers": { run: () => show("tiers", place.project) },
    "providers.tools": { run: () => show("tools") },
    "providers.keys": { run: () => show("keys") },
    ...useModelActions(place.pane === "model" ? row : undefined, models, { edit: (name) => show("edit", name) }),
  };
  useCommands(actions);

  return (
    <div className={`${columns.columns} ${styles.columns}`} data-open={open}>
      <section className={`${columns.column} ${styles.column}`} aria-labelledby="models">
        <div className={columns.bar}>
          <h1 id="models" className="grow">
            Models and keys
          </h1>
          {shown.length > 0 && <LocalOnly local={local} />}
          <CommandButton command="providers.add" action={actions["providers.add"]}>
            Add…
          </CommandButton>
        </div>
        <div className={columns.scroll} tabIndex={0} role="region" aria-label="Models">
          {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
          {list !== undefined && <Notices list={list} />}
          {list !== undefined &&
            (shown.length === 0 ? (
              <Empty onAdd={(way) => show("add", way)} />
            ) : (
              <List
                models={models}
                current={row?.name}
                onOpen={(name) => show("model", name, open ? "replace" : "push")}
              />
            ))}
        </div>
        <Footer label="All models">
          {shown.length > 0 && (
            <CommandButton command="providers.test.all" action={actions["providers.test.all"]}>
              {testAll.disabled === TESTING ? "Testing all…" : "Test all"}
            </CommandButton>
          )}
          <CommandButton command="providers.find" action={actions["providers.find"]} look="quiet">
            Look for servers
          </CommandButton>
          <span className="grow" />
          <CommandButton command="providers.health" action={actions["providers.health"]} look="quiet">
            Health
          </CommandButton>
          <CommandButton command="providers.money" action={actions["providers.money"]} look="quiet">
            Money
          </CommandButton>
          <CommandButton command="providers.tiers" action={actions["providers.tiers"]} look="quiet">
            Tiers
          </CommandButton>
          <CommandButton command="providers.tools" action={actions["providers.tools"]} look="quiet">
            Toolbox
          </CommandButton>
          <CommandButton command="providers.keys" action={actions["providers.keys"]} look="quiet">
            Keys
          </CommandButton>
        </Footer>
      </section>
      <section className={`${columns.column} ${styles.column}`} aria-label={labelOf(place.pane, row)}>
        {open && (
          <div className={columns.back}>
            <IconButton label="Back to the list of models" onClick={close}>
              <Mark name="left" />
            </IconButton>
            <span className="muted">All models</span>
          </div>
        )}
        <Beside
          key={`${place.pane} ${place.at ?? ""}`}
          place={place}
          list={list}
          row={row}
          actions={actions}
          show={show}
        />
      </section>
    </div>
  );
}

const NOT_YET = notYet("providers", "The models are still being read: press again when they are there");

const TESTING = "A test of all is under way";

/** Looks at all models at once, and says how many of them answer. */
function useTestAll(models: readonly ModelRow[]): Action {
  const { say, sayError } = useNotices();
  const check = useChange("check_models");
  return {
    run: () =>
      check.mutate(
        {},
        {
          onSuccess: ({ models: found }) => {
            const down = found.filter(({ state }) => state === "down");
            const well = found.length - down.length;
            say({
              tone: down.length > 0 ? "fail" : "pass",
              title: `${well} of ${count(found.length, "model")} ${well === 1 ? "answers" : "answer"}`,
              lines: down.map(({ model, message }) => `${model}: ${sentence(message)}`),
            });
          },
          onError: (error) => sayError("The models were not tested", error),
        },
      ),
    disabled: check.isPending ? TESTING : models.some(({ enabled }) => enabled) ? undefined : "No model is turned on",
  };
}

function labelOf(pane: Pane, row: ModelRow | undefined): string {
  switch (pane) {
    case "add":
      return "Add a model";
    case "import":
      return "Import a configuration";
    case "health":
      return "Health";
    case "money":
      return "Money";
    case "keys":
      return "Keys";
    case "tiers":
      return "Tiers";
    case "tools":
      return "Toolbox";
    case "edit":
    case "model":
      return row?.name ?? "Who proposes fixes";
  }
}

function Notices({ list: { notices, offline } }: { list: ModelList }) {
  return (
    <>
      {offline && (
        <p className={styles.notice} role="status">
          <Mark name="lock" />
          <span>
            <b>Offline:</b> every connection is refused, so no server is asked, not even on this machine. Start Conclave
            without <code>--offline</code> to change that.
          </span>
        </p>
      )}
      {notices.map((text) => (
        <p key={text} className={styles.notice} role="status">
          <Mark name="info" />
          <span>
            <Prose text={sentence(text)} />
          </span>
        </p>
      ))}
    </>
  );
}

function Beside({
  place,
  list,
  row,
  actions,
  show,
}: {
  place: Extract<Place, { screen: "providers" }>;
  /** `undefined` until it is read; what needs no list does not wait for it. */
  list: ModelList | undefined;
  row: ModelRow | undefined;
  actions: Actions;
  show: (pane: Pane, at?: string | null, how?: "push" | "replace") => void;
}) {
  switch (place.pane) {
    case "add":
      return (
        <Add
          list={list}
          way={WAYS.find((way) => way === place.at) ?? null}
          onWay={(way: Way | null) => show("add", way)}
          onImport={() => show("import")}
          onDone={(name) => show("model", name, "replace")}
        />
      );
    case "import":
      return (
        <ImportPane
          path={place.at}
          onPath={(path) => show("import", path)}
          onDone={() => show("model", null, "replace")}
          onCancel={() => show("model", null, "replace")}
        />
      );
    case "health":
      return list !== undefined && <HealthPane list={list} />;
    case "money":
      return <MoneyPane />;
    case "tiers":
      return <TiersPane at={place.at} onAt={(project) => show("tiers", project, "replace")} />;
    case "tools":
      return <ToolsPane />;
    case "keys":
      return (
        <div className={columns.scroll} tabIndex={0} role="region" aria-label="Keys by host">
          <h2 className={styles.title}>Keys</h2>
          <Keys />
        </div>
      );
    case "edit":
      if (row === undefined || list === undefined) return null;
      return <Edit row={row} list={list} onDone={(name) => show("model", name, "replace")} />;
    case "model":
      if (row === undefined) return list !== undefined && <WhoProposes />;
      return (
        <>
          <div className={columns.scroll} tabIndex={0} role="region" aria-label={`About ${row.name}`}>
            <Model row={row} />
          </div>
          <ModelFooter row={row} actions={actions} />
        </>
      );
  }
}

function Edit({ row, list, onDone }: { row: ModelRow; list: ModelList; onDone: (name: string) => void }) {
  const known = useCommand("list_known_models", {});
  if (row.setting.kind === "mcp_sampling" || (known.data === undefined && known.error === null)) return null;
  return (
    <div className={styles.around} ref={focusFirst}>
      <h2 className={styles.title}>{row.name}</h2>
      <SettingForm
        first={row.setting}
        replaces={row.name}
        taken={list.models.map(({ name }) => name)}
        known={known.data ?? NOTHING}
        worker={list.worker}
        onDone={onDone}
        onCancel={() => onDone(row.name)}
      />
    </div>
  );
}

function ModelFooter({ row, actions }: { row: ModelRow; actions: Actions }) {
  return (
    <Footer label="Actions">
      <CommandButton command="providers.test" action={actions["providers.test"]} look="primary">
        {actions["providers.test"]?.disabled === undefined ? "Test now" : "Testing…"}
      </CommandButton>
      {row.loaded !== null && (
        <CommandButton command="providers.load" action={actions["providers.load"]}>
          {row.loaded ? "Let go" : "Load now"}
        </CommandButton>
      )}
      {row.position !== null && (
        <>
          <CommandButton command="providers.up" action={actions["providers.up"]}>
            Earlier
          </CommandButton>
          <CommandButton command="providers.down" action={actions["providers.down"]}>
            Later
          </CommandButton>
        </>
      )}
      {row.enabled && (
        <CommandButton command="providers.trial" action={actions["providers.trial"]} look="quiet">
          {row.trial ? "Use its answers" : "Try out only"}
        </CommandButton>
      )}
      <CommandButton command="providers.switch" action={actions["providers.switch"]} look="quiet">
        {row.enabled ? "Turn off" : "Turn on"}
      </CommandButton>
      {row.kind !== "mcp_sampling" && (
        <CommandButton command="providers.edit" action={actions["providers.edit"]} look="quiet">
          Edit
        </CommandButton>
      )}
      <CommandButton command="providers.remove" action={actions["providers.remove"]} look="quiet">
        Remove
      </CommandButton>
    </Footer>
  );
}

function WhoProposes() {
  const { data: status } = useCommand("get_status", {});
  return (
    <>
      <h2 className={styles.title}>Who proposes fixes</h2>
      <p className={styles.text}>
        Recipes and the scanners’ own fixes sit on every panel and need no key, no model and no network. Models propose
        beside them, and review what your policy samples.
      </p>
      {status !== undefined && status.empty_seats.length > 0 && (
        <>
          <SectionHead title="Empty seats" end="and what would fill them" />
          <Seats seats={status.empty_seats} />
        </>
      )}
    </>
  );
}

/** What can be done with a model, as commands; each can be taken back. */
import { useChange } from "../../api/client";
import type { ModelRow, ModelSettingView } from "../../backend/generated";
import type { Actions } from "../../commands/active";
import { sentence } from "../../format";
import { useNotices } from "../frame/notice";
import { moved } from "./standing";

type Switches = { enabled?: boolean; trial?: boolean; may_send_code?: boolean };

/** A setting with some of its switches turned. */
export function turned(view: ModelSettingView, to: Switches): ModelSettingView {
  // Every kind but a model file, which never leaves, has all three.
  return { ...view, setting: { ...view.setting, ...to } } as ModelSettingView;
}

/** Turns switches of a model and says what that means, with a way back. */
export function useTurn(): (row: ModelRow, to: Switches, said: string, lines?: readonly string[]) => void {
  const { say, sayError } = useNotices();
  const save = useChange("save_model");
  return (row, to, said, lines = []) =>
    save.mutate(
      { model: turned(row.setting, to), replaces: row.name },
      {
        onSuccess: () =>
          say({
            tone: "pass",
            title: said,
            lines,
            action: {
              label: "Undo",
              run: () =>
                save.mutate(
                  { model: row.setting, replaces: row.name },
                  { onError: (error) => sayError(`${row.name} is not as it was before`, error) },
                ),
            },
          }),
        onError: (error) => sayError(`${row.name} was not changed`, error),
      },
    );
}

export function useModelActions(
  row: ModelRow | undefined,
  models: readonly ModelRow[],
  goTo: { edit: (name: string) => void },
): Actions {
  const { say, sayError } = useNotices();
  const turn = useTurn();
  const check = useChange("check_model");
  const start = useChange("start_model");
  const stop = useChange("stop_model");
  const remove = useChange("remove_model");
  const save = useChange("save_model");
  const order = useChange("order_models");
  if (row === undefined) return {};
  const { name, enabled, trial } = row;

  const move = (by: -1 | 1) => {
    const names = moved(models, name, by);
    return {
      run: () => {
        if (names === null) return;
        order.mutate({ models: names }, { onError: (error) => sayError("The order was not changed", error) });
      },
      disabled: order.isPending
        ? "Wait for the last change to end"
        : names !== null
          ? undefined
          : row.position === null
            ? "Only models whose answers are used have an order"
            : by < 0
              ? `${name} is asked first already`
              : `${name} is asked last already`,
    };
  };

  /** Adds it again as it was, in its old place. */
  const putBack = () =>
    save.mutate(
      { model: row.setting, replaces: null },
      {
        onSuccess: () =>
          order.mutate(
            { models: models.map((model) => model.name) },
            { onError: (error) => sayError(`${name} is back, in another place than before`, error) },
          ),
        onError: (error) => sayError(`${name} was not added again`, error),
      },
    );

  return {
    "providers.up": move(-1),
    "providers.down": move(1),
    "providers.test": {
      run: () =>
        check.mutate(
          { model: name },
          {
            onSuccess: ({ state, message, warnings }) =>
              say({
                tone: state === "down" ? "fail" : state === "degraded" ? "plain" : "pass",
                title: state === "down" ? `${name} does not answer` : `${name} answers`,
                lines: [message, ...warnings.filter((text) => text !== message)].map(sentence),
              }),
            onError: (error) => sayError(`${name} was not tested`, error),
          },
        ),
      disabled: check.isPending ? "A test is under way" : undefined,
    },
    "providers.load": {
      run: () =>
        row.loaded
          ? stop.mutate(
              { model: name },
              {
                onSuccess: () =>
                  say({
                    tone: "pass",
                    title: `${name} holds no memory any more`,
                    lines: ["The next question loads it again."],
                  }),
                onError: (error) => sayError(`${name} was not let go`, error),
              },
            )
          : start.mutate(
              { model: name },
              {
                onSuccess: ({ message }) =>
                  say({ tone: "pass", title: `${name} is loaded`, lines: [sentence(message)] }),
                onError: (error) => sayError(`${name} was not loaded`, error),
              },
            ),
      disabled:
        row.loaded === null
          ? `${name} is no file that is loaded here`
          : start.isPending || stop.isPending
            ? "Wait until the last word is done"
            : undefined,
    },
    "providers.trial": {
      run: () =>
        turn(
          row,
          { trial: !trial },
          trial ? `The answers of ${name} are used from now on` : `${name} is only tried out from now on`,
          trial ? [] : ["It is asked beside the others; its answers are compared and written down, and never used."],
        ),
      disabled: enabled ? undefined : `${name} is off: turn it on first`,
    },
    "providers.switch": {
      run: () => turn(row, { enabled: !enabled }, enabled ? `${name} is off: it is asked nothing` : `${name} is on`),
    },
    "providers.edit": {
      run: () => goTo.edit(name),
      disabled: row.kind === "mcp_sampling" ? "The client says which model it is; there is nothing to edit" : undefined,
    },
    "providers.remove": {
      run: () =>
        remove.mutate(
          { model: name },
          {
            onSuccess: () =>
              say({
                tone: "pass",
                title: `${name} is removed`,
                lines: row.host === null ? [] : [`A key for ${row.host} stays where it is.`],
                action: { label: "Undo", run: putBack },
              }),
            onError: (error) => sayError(`${name} was not removed`, error),
          },
        ),
      disabled: remove.isPending ? "It is being removed" : undefined,
    },
  };
}

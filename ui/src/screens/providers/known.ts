/** What is known of models behind hosted APIs, for the forms: who is meant, what it costs, what it is good for. Pure. */
import type { ApiModel, KnownHost, KnownModel, KnownModelList, ModelPrice } from "../../backend/generated";
import { money } from "../../money";

/** Nothing is known: every price is unknown then, and every address is typed. */
export const NOTHING: KnownModelList = { hosts: [], models: [], strengths: [], presets: [] };

/** The host whose API begins at `url`. */
export function hostAt(known: KnownModelList, url: string): KnownHost | undefined {
  return known.hosts.find((host) => host.base_url === url);
}

/** The models of `host` that are offered, as they stand in the list. */
export function offeredBy(known: KnownModelList, host: string): KnownModel[] {
  return known.models.filter((model) => model.host === host && model.state !== "retired");
}

/** What is known of the model called `name` at `host`. */
export function modelAt(known: KnownModelList, host: string, name: string): KnownModel | undefined {
  return known.models.find((model) => model.host === host && (model.id === name || model.aliases.includes(name)));
}

/** What a model is good for, in words. */
export function strengthWords(known: KnownModelList, { strengths }: Pick<KnownModel, "strengths">): string {
  const titles = strengths.map((id) => known.strengths.find((strength) => strength.id === id)?.title ?? id);
  return titles.join(", ").replace(/^(.)(.*)$/, (_, first: string, rest: string) => first + rest.toLowerCase());
}

/** `$2.00 / $10.00`: read and written. */
export function priceWords({ price }: Pick<KnownModel, "price">): string {
  return price === null ? "not known" : `${money(price.input)} / ${money(price.output)}`;
}

/** What long questions cost in place of that, as a sentence behind another; nothing where it is the same. */
export function longWords(price: KnownModel["price"]): string {
  if (price?.long == null) return "";
  const { above_tokens, input, output } = price.long;
  return ` A question of more than ${above_tokens.toLocaleString("en")} tokens costs ${money(input)} / ${money(output)}.`;
}

/** A setting for a model of `host` with nothing else chosen. */
export function settingFor(host: Pick<ApiModel, "base_url" | "dialect">, model: string, name: string): ApiModel {
  return {
    name,
    base_url: host.base_url,
    model,
    key_env: null,
    may_send_code: false,
    dialect: host.dialect,
    headers: {},
    price: null,
    enabled: true,
    trial: false,
    max_concurrent: null,
  };
}

/** Whether the price that a person sees is the one of the list, so that the setting need not say it. */
export function isOfTheList(price: ModelPrice | null, known: KnownModel | undefined): boolean {
  const listed = known?.price ?? null;
  if (price === null || listed === null) return price === listed;
  return (
    price.input === listed.input &&
    price.output === listed.output &&
    (price.cached ?? price.input) === (listed.cached ?? listed.input)
  );
}

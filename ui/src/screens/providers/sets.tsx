/** Models that belong together: who is named for what, who has the place today, and each added with one click. */
import { useState } from "react";
import { useBackend, refresh } from "../../api/client";
import { toApiError } from "../../backend/backend";
import { type KnownModelList, type KnownPreset, type KnownSeat, type ModelList, tags } from "../../backend/generated";
import { Button } from "../../components/button";
import { Footer, FooterNote } from "../../components/footer";
import { Mark } from "../../components/mark";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { count, sentence } from "../../format";
import { useQueryClient } from "@tanstack/react-query";
import { useNotices } from "../frame/notice";
import { modelAt, priceWords, settingFor } from "./known";
import { freeName, nameFor } from "./names";
import styles from "./servers.module.css";

export function Sets({ known, list, onBack }: { known: KnownModelList; list: ModelList; onBack: () => void }) {
  const { busy, add } = useAdding(known, list);
  const missing = known.presets.flatMap(({ seats }) => seats).filter((seat) => !isThere(known, list, seat));
  return (
    <>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="Sets of models">
        <p className={styles.text}>
          Each is asked at its own host, which wants a key, and gets no code until you say so. What is retired has
          another one in its place.
        </p>
        {known.presets.map((preset) => (
          <Preset key={preset.id} preset={preset} known={known} list={list} busy={busy} onAdd={(seat) => add([seat])} />
        ))}
      </div>
      <Footer label="Actions">
        <Button look="primary" disabled={busy || missing.length === 0} onClick={() => void add(missing)}>
          {missing.length === 0 ? "All are added" : busy ? "Adding…" : `Add ${count(missing.length, "model")}`}
        </Button>
        <Button look="quiet" onClick={onBack}>
          Back
        </Button>
        <FooterNote>They are asked nothing yet.</FooterNote>
      </Footer>
    </>
  );
}

function Preset({
  preset,
  known,
  list,
  busy,
  onAdd,
}: {
  preset: KnownPreset;
  known: KnownModelList;
  list: ModelList;
  busy: boolean;
  onAdd: (seat: KnownSeat) => void;
}) {
  return (
    <section aria-label={preset.title}>
      <SectionHead title={preset.title} end="read / written, a million tokens" />
      <ul>
        {preset.seats.map((seat) => (
          <Seat
            key={seat.strength}
            seat={seat}
            known={known}
            there={isThere(known, list, seat)}
            busy={busy}
            onAdd={() => onAdd(seat)}
          />
        ))}
      </ul>
    </section>
  );
}

function Seat({
  seat,
  known,
  there,
  busy,
  onAdd,
}: {
  seat: KnownSeat;
  known: KnownModelList;
  there: boolean;
  busy: boolean;
  onAdd: () => void;
}) {
  const strength = known.strengths.find(({ id }) => id === seat.strength);
  const host = known.hosts.find(({ id }) => id === seat.host);
  const model = modelAt(known, seat.host, seat.model);
  return (
    <li className={`${styles.model} ${styles.seat}`}>
      <span>
        <span>{strength?.title ?? seat.strength}</span>
        <span className={styles.can}>{strength?.focus}</span>
        <span>
          <code>{seat.model}</code> <span className="small muted">at {host?.title ?? seat.host}</span>
        </span>
        {seat.remark !== null && (
          <span className={styles.remark}>
            <Mark name="flaky" size={12} />
            <span>
              <Prose text={sentence(seat.remark)} />
            </span>
          </span>
        )}
      </span>
      <span className={styles.price}>{model === undefined ? "not known" : priceWords(model)}</span>
      {there ? (
        <span className={styles.there}>
          <Mark name="tick" size={12} />
          added
        </span>
      ) : (
        <Button disabled={busy} aria-label={`Add ${seat.model}`} onClick={onAdd}>
          Add
        </Button>
      )}
    </li>
  );
}

function isThere(known: KnownModelList, list: ModelList, seat: KnownSeat): boolean {
  const host = known.hosts.find(({ id }) => id === seat.host);
  return list.models.some(
    ({ setting }) =>
      setting.kind === "api" && setting.setting.base_url === host?.base_url && setting.setting.model === seat.model,
  );
}

/** Adds the models of seats, one after the other, so that each finds the names that are taken. */
function useAdding(known: KnownModelList, list: ModelList) {
  const backend = useBackend();
  const client = useQueryClient();
  const { say, sayError } = useNotices();
  const [busy, setBusy] = useState(false);
  const add = async (seats: readonly KnownSeat[]) => {
    const names = list.models.map(({ name }) => name);
    const added: string[] = [];
    setBusy(true);
    try {
      for (const { host: at, model } of seats) {
        const host = known.hosts.find(({ id }) => id === at);
        if (host === undefined) continue;
        const name = freeName(nameFor(model), names);
        const setting = settingFor(host, model, name);
        await backend.call("save_model", { model: { kind: "api", setting }, replaces: null });
        names.push(name);
        added.push(name);
      }
      say({ tone: "pass", title: `${count(added.length, "model")} added, and asked last`, lines: [added.join(", ")] });
    } catch (error) {
      sayError(added.length === 0 ? "No model was added" : `Only ${added.join(", ")} was added`, toApiError(error));
    } finally {
      await refresh(client, tags.save_model);
      setBusy(false);
    }
  };
  return { busy, add };
}

/** What a model file says of itself, before it is added: licence, context, and the memory that it wants. */
import { useCommand } from "../../api/client";
import type { WorkerView } from "../../backend/generated";
import { Prose } from "../../components/prose";
import { bytes, sentence } from "../../format";
import { useSettled } from "../../settled";
import styles from "./form.module.css";

export function FileFacts({ path, context, worker }: { path: string; context: number | null; worker: WorkerView }) {
  const settled = useSettled(path, 300);
  const wanted = settled.startsWith("/");
  const { data, error } = useCommand("inspect_file", { path: settled, context_tokens: context }, wanted);
  return (
    <div className={styles.facts} role="status">
      {worker.found === null && (
        <p>
          <Prose text={sentence(worker.remedy ?? "the program that runs model files is not installed")} /> It can be
          added all the same, and is asked once the program is there.
        </p>
      )}
      {!wanted && <p>Its licence, its context and the memory that it wants are shown here before it is added.</p>}
      {wanted && error !== null && (
        <p>
          <Prose text={sentence(error.message)} />
        </p>
      )}
      {wanted && error === null && data === undefined && <p>Reading the file…</p>}
      {wanted && error === null && data !== undefined && (
        <dl>
          <dt>It is</dt>
          <dd>
            {data.name ?? data.architecture}, {data.quantisation}
          </dd>
          <dt>Licence</dt>
          <dd>{data.licence ?? "not said in the file"}</dd>
          <dt>Context</dt>
          <dd>
            {data.context_tokens.toLocaleString("en")} tokens, of {data.trained_context.toLocaleString("en")} at most
          </dd>
          <dt>Size</dt>
          <dd>{bytes(data.size_bytes)}</dd>
          <dt>Memory</dt>
          <dd>about {bytes(data.memory_bytes)}</dd>
          {!data.chat_template && (
            <>
              <dt>Questions</dt>
              <dd>It does not know questions from answers, so it cannot be asked.</dd>
            </>
          )}
        </dl>
      )}
    </div>
  );
}

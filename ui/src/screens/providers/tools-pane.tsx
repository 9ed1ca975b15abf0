/** The toolbox: what deliberation may use, and the servers of tools that the person added and approved. */
import { useChange, useCommand } from "../../api/client";
import type { ToolServerStanding, ToolServerView } from "../../backend/generated";
import { Button } from "../../components/button";
import { ErrorNote } from "../../components/error-note";
import { Prose } from "../../components/prose";
import { SectionHead } from "../../components/section";
import { count, sentence } from "../../format";
import { useNotices } from "../frame/notice";
import styles from "./pane.module.css";
import own from "./tools-pane.module.css";

const STANDS: Record<ToolServerStanding, string> = {
  off: "turned off",
  unseen: "never looked at",
  not_approved: "waits for your approval",
  approved: "as you approved it",
  changed: "changed, and blocked until you approve it anew",
};

const OWN = [
  ["Thinking", "Step by step, with revisions and branches; one chain for each run."],
  ["Memory", "What was learned of earlier findings, kept apart for each client."],
  ["Intelligence", "What is published about a weakness: a list that ships with Conclave, and Kagi where you add it."],
] as const;

export function ToolsPane() {
  const { data: list, error, refetch } = useCommand("list_tools", {});
  return (
    <div className={styles.form}>
      <h2 className={styles.title}>Toolbox</h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="The toolbox">
        <SectionHead title="Conclave’s own" end="no program and no network" line={false} />
        <dl className={own.kinds}>
          {OWN.map(([name, what]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <SectionHead title="Servers" end={list !== undefined && count(list.servers.length, "server")} />
        {error !== null && <ErrorNote error={error} onRetry={() => void refetch()} />}
        {list?.servers.length === 0 && (
          <p className={styles.text}>
            None. <code>conclave tools add</code> adds one, and <code>conclave tools import</code> takes over what
            another program has. Each runs in the sandbox, and is used only as you approved it.
          </p>
        )}
        <ul className={own.servers}>
          {list?.servers.map((server) => (
            <Server key={server.name} server={server} />
          ))}
        </ul>
      </div>
    </div>
  );
}

function Server({ server }: { server: ToolServerView }) {
  const { name, standing, called, tools, differences, digest, warning, reaches, env, key, instructions } = server;
  const variables = Object.entries(env).map(([variable, value]) => `${variable}=${value}`);
  const check = useChange("check_tool_server");
  const approve = useChange("approve_tool_server");
  const remove = useChange("remove_tool_server");
  const { say, sayError } = useNotices();
  const failed = (title: string) => (error: Parameters<typeof sayError>[1]) => sayError(title, error);
  const waits = standing === "not_approved" || standing === "changed";
  return (
    <li>
      <p>
        <b>{name}</b> <span className="faint">{called}</span>
      </p>
      <p data-standing={standing} className={own.standing}>
        {sentence(STANDS[standing])}
      </p>
      <code className="path">{server.url ?? [server.command ?? "", ...server.args].join(" ")}</code>
      <p className={own.standing}>
        {server.url === null && (reaches === null ? "No network." : `Reaches ${reaches} and nobody else.`)}
        {key !== null && ` Its key ${server.has_key ? "is" : "is to be"} given as ${key}.`}
      </p>
      {variables.length > 0 && <code className="path">{variables.join(" ")}</code>}
      {instructions !== "" && (
        <p className={own.warning}>It wants models to be told, which they are not: {instructions}</p>
      )}
      {warning !== null && (
        <p className={own.warning}>
          <Prose text={sentence(warning)} />
        </p>
      )}
      {differences.map((line) => (
        <p key={line} className={own.warning}>
          <Prose text={sentence(line)} />
        </p>
      ))}
      {tools.length > 0 && (
        <details open={waits}>
          <summary>{count(tools.length, "tool")}</summary>
          <ul>
            {tools.map((tool) => (
              <li key={tool.name}>
                <code>{tool.name}</code> <span className="faint">{tool.description}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <div className={own.actions}>
        <Button
          disabled={check.isPending}
          onClick={() =>
            check.mutate(
              { name },
              {
                onSuccess: ({ failed: why, refused }) =>
                  say(
                    why === null
                      ? {
                          tone: "pass",
                          title: `${name} answers`,
                          lines: refused.map((asked) => `It asked for “${asked}” and was refused.`),
                        }
                      : { tone: "plain", title: `${name} could not be seen`, lines: [sentence(why)] },
                  ),
                onError: failed(`${name} could not be looked at`),
              },
            )
          }
        >
          {check.isPending ? "Looking…" : "Look at it"}
        </Button>
        {waits && digest !== null && (
          <Button
            look="primary"
            onClick={() =>
              approve.mutate(
                { name, digest },
                {
                  onSuccess: () => say({ tone: "pass", title: `${name} may be used as it is now` }),
                  onError: failed(`${name} is not approved`),
                },
              )
            }
          >
            Approve
          </Button>
        )}
        <Button
          look="quiet"
          onClick={() =>
            remove.mutate(
              { name },
              {
                onSuccess: () => say({ tone: "plain", title: `${name} is no longer in the settings` }),
                onError: failed(`${name} is still there`),
              },
            )
          }
        >
          Remove
        </Button>
      </div>
    </li>
  );
}

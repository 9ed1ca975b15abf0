/** A comparison to begin: which two, on how much, and what that would take before anything is sent. */
import { useState } from "react";
import { useChange, useCommand } from "../../api/client";
import type { CompareFixes, ConfigurationView, PlannedArm } from "../../backend/generated";
import { type Actions, useCommands } from "../../commands/active";
import { CommandButton } from "../../components/button";
import columns from "../../components/columns.module.css";
import { ErrorNote } from "../../components/error-note";
import { Choice, Field } from "../../components/field";
import { Footer, FooterNote } from "../../components/footer";
import { SectionHead } from "../../components/section";
import { count, sentence } from "../../format";
import { money } from "../../money";
import { type ComparePlace, compareAt, go } from "../../routes";
import { useSettled } from "../../settled";
import { useNotices } from "../frame/notice";
import { useProject } from "../frame/projects";
import styles from "./compare.module.css";

/** How long typing rests before the plan follows, in milliseconds. */
const REST_MS = 250;

export function Begin({ place, designs }: { place: ComparePlace; designs: ConfigurationView[] }) {
  const [a, setA] = useState("panel");
  const [b, setB] = useState("single");
  const [most, setMost] = useState("10");
  const start = useChange("start_comparison");
  const run = useChange("run_comparison");
  const { sayError } = useNotices();
  const { project } = useProject(place);

  const limit = /^[1-9]\d{0,5}$/.test(most.trim()) ? Number(most) : undefined;
  const request: CompareFixes = {
    a: { name: a, text: null },
    b: { name: b, text: null },
    findings: [],
    project: project?.id ?? null,
    severity: null,
    most: limit ?? null,
    seed: null,
  };
  const settled = useSettled(JSON.stringify(request), REST_MS);
  const plan = useCommand("plan_comparison", JSON.parse(settled), a !== b);
  const fresh = settled === JSON.stringify(request) && !plan.isPlaceholderData && plan.data !== undefined;

  const begin = () =>
    start.mutate(request, {
      onSuccess: ({ id, client }) => {
        go(compareAt(place, client ?? "", String(id)), "replace");
        run.mutate({ comparison: id, client }, { onError: (error) => sayError("The comparison stopped", error) });
      },
      onError: (error) => sayError("The comparison was not begun", error),
    });
  // The first that is so is what stands in the way.
  const reasons: [boolean, string][] = [
    [a === b, "Both are the same"],
    [limit === undefined, "The number of findings cannot be read"],
    [project === undefined, "Choose a project"],
    [plan.error !== null, "These two cannot be compared"],
    [!fresh, "What it would take is being found out"],
    [plan.data?.findings === 0, "There is no finding to compare on"],
    [start.isPending, "It is being begun"],
  ];
  const actions: Actions = {
    "compare.begin": { run: begin, disabled: reasons.find(([stands]) => stands)?.[1] },
  };
  useCommands(actions);
  const options = designs.map(({ name, label }) => [name, `${name}: ${label}`] as const);
  return (
    <>
      <div className={columns.scroll} tabIndex={0} role="region" aria-label="What is compared">
        <div className={styles.form}>
          <p>
            Both are run on the same findings. You then see two changes beside each other and say which you prefer;
            whose they are, what they cost and how sure one may be of them is said when all are chosen.
          </p>
          <Choice label="One" value={a} options={options} onChoose={setA} />
          <Choice label="The other" value={b} options={options} onChoose={setB} />
          <Field
            label="Findings"
            inputMode="numeric"
            value={most}
            onChange={(event) => setMost(event.target.value)}
            note="So many at most, the most severe first."
          />
        </div>
        <SectionHead title="What it would take" level={2} />
        {a !== b && plan.error !== null && <ErrorNote error={plan.error} onRetry={() => void plan.refetch()} />}
        {a === b && <p className={styles.text}>Choose two that differ.</p>}
        {a !== b && plan.error === null && plan.data === undefined && (
          <p className={styles.text} role="status">
            Reading the code around each finding, to see what its questions cost…
          </p>
        )}
        {a !== b && plan.error === null && plan.data !== undefined && (
          <>
            <p className={styles.text}>{count(plan.data.findings, "finding")}, each run by both.</p>
            <Cost arm={plan.data.a} />
            <Cost arm={plan.data.b} />
            {plan.data.deferred.map(({ finding, why }) => (
              <p key={finding.id} className={styles.text}>
                Left out: {finding.title}. <span className="faint">{sentence(why)}</span>
              </p>
            ))}
          </>
        )}
      </div>
      <Footer label="Actions">
        <CommandButton command="compare.begin" action={actions["compare.begin"]} look="primary">
          Begin
        </CommandButton>
        <FooterNote>Nothing is sent before you begin; every limit of your settings holds.</FooterNote>
      </Footer>
    </>
  );
}

function Cost({ arm: { configuration, cost } }: { arm: PlannedArm }) {
  const { low, high } = cost.known;
  return (
    <p className={styles.text}>
      <b>{configuration.name}</b> {low === high ? money(high) : `${money(low)} to ${money(high)}`}
      {cost.unknown > 0 && <>, and the cost of {count(cost.unknown, "seat")} that is not known</>}
    </p>
  );
}

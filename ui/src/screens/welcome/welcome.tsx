/** The first minutes: choose a folder or take the sample, and know what will happen and what will not. */
import { useId, useState } from "react";
import { useCommand } from "../../api/client";
import { Button } from "../../components/button";
import { Mark } from "../../components/mark";
import { Seats } from "../../components/seats";
import { type Place, formatPlace, inboxAt } from "../../routes";
import { useProject, useProjectChanges } from "../frame/projects";
import styles from "./welcome.module.css";

export function Welcome({ place }: { place: Place }) {
  const changes = useProjectChanges();
  const { project } = useProject(place);
  const { data: status } = useCommand("get_status", {});
  return (
    <div className={styles.scroll}>
      <div className={styles.page}>
        <h1>{project === undefined ? "From findings to fixes you can check" : "Add a folder"}</h1>
        <p className={styles.lead}>
          Conclave reads what your scanners found, has fixes proposed, and tries each one on a copy of your code. You
          see the evidence and decide.
        </p>
        <ol className={styles.steps}>
          <li>
            <span className={styles.ball} data-now="true">
              1
            </span>
            <div>
              <h2>Choose a folder</h2>
              <p className="muted">Type its path, or drop it anywhere on this window. It is read, not changed.</p>
              <FolderField busy={changes.busy} onAdd={changes.addFolder} />
            </div>
          </li>
          <li>
            <span className={styles.ball}>2</span>
            <div>
              <h2>What happens then</h2>
              <ul className={styles.facts}>
                <li>
                  <Mark name="file" />
                  <b>Logs in it are read</b>
                  <span>every SARIF file, from any scanner; what cannot be used is said</span>
                </li>
                <li>
                  <Mark name="search" />
                  <b>Built-in detectors look</b>
                  <span>at Python, JavaScript, TypeScript and Java, so no scanner is needed</span>
                </li>
                <li>
                  <Mark name="pass" />
                  <b>Fixes are tried on a copy</b>
                  <span>your folder is written only when you apply one, and undo restores it</span>
                </li>
              </ul>
            </div>
          </li>
          <li>
            <span className={styles.ball}>3</span>
            <div>
              <h2>Who proposes fixes</h2>
              <p className="muted">
                Recipes and the scanners’ own fixes sit on every panel and need no key and no network.
              </p>
              {status !== undefined && status.empty_seats.length > 0 && (
                <div className={styles.seats}>
                  <Seats seats={status.empty_seats} />
                </div>
              )}
            </div>
          </li>
        </ol>
        <div className={styles.go}>
          <Button onClick={changes.openDemo} disabled={changes.busy}>
            Try with the sample project
          </Button>
          <span className="small faint">A small shop with about a dozen weaknesses; the same checks, no network.</span>
          {project !== undefined && <a href={formatPlace(inboxAt(place))}>Back to the inbox</a>}
        </div>
      </div>
    </div>
  );
}

function FolderField({ busy, onAdd }: { busy: boolean; onAdd: (path: string, watch: boolean) => void }) {
  const [path, setPath] = useState("");
  const [watch, setWatch] = useState(true);
  const id = useId();
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (path.trim() !== "") onAdd(path.trim(), watch);
      }}
    >
      <label htmlFor={id} className="heard">
        Path of the folder
      </label>
      <div className={styles.field}>
        <Mark name="folder" />
        <input
          id={id}
          type="text"
          placeholder="/home/you/projects/shop"
          autoComplete="off"
          spellCheck={false}
          value={path}
          onChange={(event) => setPath(event.target.value)}
        />
      </div>
      <Button type="submit" look="primary" disabled={busy}>
        {busy ? "Looking…" : "Add folder"}
      </Button>
      <label className={styles.check}>
        <input type="checkbox" checked={watch} onChange={(event) => setWatch(event.target.checked)} />
        Follow changes: read new logs and mark findings whose file changed
      </label>
    </form>
  );
}

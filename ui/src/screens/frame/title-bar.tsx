/** The mark, the project one looks at, and the way to everything else. */
import type { ProjectView } from "../../backend/generated";
import { KeysOf } from "../../components/kbd";
import { Logo, Mark } from "../../components/mark";
import { Menu } from "../../components/menu";
import { count } from "../../format";
import { LIST, go } from "../../routes";
import { openProject } from "./projects";
import styles from "./title-bar.module.css";

export function TitleBar({
  project,
  all,
  onPalette,
}: {
  project: ProjectView | undefined;
  all: ProjectView[];
  onPalette: () => void;
}) {
  return (
    <header className={styles.bar}>
      <span className={styles.brand}>
        <Logo />
        Conclave
      </span>
      {project !== undefined && (
        <>
          <span className={styles.slash} />
          <Menu
            label={`Project ${project.name}`}
            className={styles.project}
            items={[
              ...all.map(({ id, name, open }) => ({
                label: name,
                detail: count(open, "open", "open"),
                checked: id === project.id,
                run: () => openProject(id),
              })),
              { label: "Add a folder…", run: () => go({ screen: "welcome", ...LIST, project: project.id }) },
            ]}
          >
            <span className="cut">{project.name}</span>
          </Menu>
          <code className={`${styles.root} cut wide`} title={project.root}>
            {project.root}
          </code>
          {!project.present && <span className={styles.missing}>The folder is not there</span>}
        </>
      )}
      <span className="grow" />
      <button type="button" className={styles.command} aria-keyshortcuts="Control+K" onClick={onPalette}>
        <Mark name="search" size={12} />
        <span className="grow">Go to, or do</span>
        <KeysOf command="palette" />
      </button>
    </header>
  );
}

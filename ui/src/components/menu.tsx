/** A button that opens a short list of choices; arrow keys walk it, Escape and a click elsewhere close it. */
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { Mark } from "./mark";
import styles from "./menu.module.css";
import buttons from "./button.module.css";

type MenuItem = {
  label: string;
  detail?: string | undefined;
  /** Set for one of several choices; absent for something to do. */
  checked?: boolean | undefined;
  run: () => void;
};

export function Menu({
  children,
  label,
  items,
  className = "",
}: {
  children: ReactNode;
  label: string;
  items: MenuItem[];
  className?: string | undefined;
}) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const trigger = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  const show = () => {
    const at = trigger.current?.getBoundingClientRect();
    if (panel.current === null || at === undefined) return;
    panel.current.showPopover();
    const { width } = panel.current.getBoundingClientRect();
    panel.current.style.top = `${at.bottom + 4}px`;
    panel.current.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    const all = itemsIn(panel.current);
    (all.find((item) => item.ariaChecked === "true") ?? all[0])?.focus();
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const all = itemsIn(event.currentTarget);
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      all[to % all.length]?.focus();
    } else if (event.key === "Tab") {
      panel.current?.hidePopover();
    }
  };

  return (
    <>
      <button
        ref={trigger}
        type="button"
        className={`${buttons.button} ${buttons.quiet} ${styles.trigger} ${className}`}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => (open ? panel.current?.hidePopover() : show())}
      >
        {children}
        <Mark name="down" size={10} />
      </button>
      <div
        ref={panel}
        id={id}
        className={styles.panel}
        role="menu"
        aria-label={label}
        tabIndex={-1}
        popover="auto"
        onKeyDown={onKeyDown}
        onToggle={(event) => {
          setOpen(event.newState === "open");
          if (event.newState === "closed" && panel.current?.contains(document.activeElement)) trigger.current?.focus();
        }}
      >
        {items.map((item) => (
          <button
            key={item.label + (item.detail ?? "")}
            type="button"
            className={styles.item}
            role={item.checked === undefined ? "menuitem" : "menuitemradio"}
            aria-checked={item.checked}
            tabIndex={-1}
            onClick={() => {
              panel.current?.hidePopover();
              trigger.current?.focus();
              item.run();
            }}
          >
            <span className={styles.check}>{item.checked === true && <Mark name="tick" size={12} />}</span>
            <span className="cut">{item.label}</span>
            {item.detail !== undefined && <span className={`${styles.detail} cut`}>{item.detail}</span>}
          </button>
        ))}
      </div>
    </>
  );
}

function itemsIn(panel: HTMLElement): HTMLElement[] {
  return [...panel.querySelectorAll<HTMLElement>("[role^=menuitem]")];
}

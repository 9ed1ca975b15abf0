/** As a `ref`: takes the focus when it appears, for a field that the person has just asked for. */
export function focus(element: HTMLElement | null): void {
  element?.focus();
}

/** As a `ref`: its first control takes the focus when it appears, because the person has just asked for it. */
export function focusFirst(element: HTMLElement | null): void {
  element?.querySelector<HTMLElement>("input, select, button")?.focus();
}

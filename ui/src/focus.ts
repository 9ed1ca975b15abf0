/** As a `ref`: takes the focus when it appears, for a field that the person has just asked for. */
export function focus(element: HTMLElement | null): void {
  element?.focus();
}

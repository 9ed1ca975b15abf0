/** Text of the core: what stands between backticks is a name or code, and is set as such. */
export function Prose({ text }: { text: string }) {
  return text.split(/`([^`]+)`/).map((part, index) =>
    // Parts have no identity but their place.
    index % 2 === 1 ? <code key={index}>{part}</code> : part,
  );
}

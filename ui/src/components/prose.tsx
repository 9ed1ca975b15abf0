/** Text of the core: what stands between backticks is a name or code, and is set as such; a day stays in one line. */
export function Prose({ text }: { text: string }) {
  return text.split(/`([^`]+)`/).map((part, index) =>
    // Parts have no identity but their place.
    index % 2 === 1 ? <code key={index}>{part}</code> : <Days key={index} text={part} />,
  );
}

function Days({ text }: { text: string }) {
  return text.split(/(\d{4}-\d\d-\d\d)/).map((part, index) =>
    index % 2 === 1 ? (
      <span key={index} className="whole">
        {part}
      </span>
    ) : (
      part
    ),
  );
}

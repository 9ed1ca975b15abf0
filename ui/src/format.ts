/** Numbers, times and counts as people read them. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, in one unit: `now`, `5 min`, `2 h`, `3 d`. */
export function age(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  if (passed < MINUTE) return "now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h`;
  return `${Math.floor(passed / DAY)} d`;
}

/** The same in a sentence: `just now`, `2 h ago`. */
export function ago(at: number, now: number): string {
  const text = age(at, now);
  return text === "now" ? "just now" : `${text} ago`;
}

/** A stretch of time: `0.1 s`, `21 s`, `1:47`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / 1000)} s`;
  return clock(ms);
}

/** A time that is still passing: `0:48`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

/** A size: `0 B`, `812 B`, `3.2 kB`, `1.4 MB`, `4.7 GB`. */
export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  if (n < 1_000_000) return `${(n / 1_000).toFixed(1)} kB`;
  if (n < 1_000_000_000) return `${(n / 1_000_000).toFixed(1)} MB`;
  return `${(n / 1_000_000_000).toFixed(1)} GB`;
}

/** The time of day, with the date where it is another day: `14:30:19`, `3 Nov 14:30`. */
export function moment(at: number, now: number): string {
  const then = new Date(at);
  const sameDay = then.toDateString() === new Date(now).toDateString();
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  if (sameDay) return `${time}:${two(then.getSeconds())}`;
  return `${then.getDate()} ${then.toLocaleString("en", { month: "short" })} ${time}`;
}

/** `1 file`, `3 files`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** Log-odds with a sign that is as wide as a digit: `+1.30`, `−0.80`. */
export function signed(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return value < 0 ? `\u2212${text}` : `+${text}`;
}

/** `path:line`, or what is known of it. */
export function place(path: string | null, line: number | null): string {
  if (path === null) return "no place in this project";
  return line === null ? path : `${path}:${line}`;
}

/** A sentence with a capital and a full stop, whatever the core's message looks like. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  // A name such as `argon2` or `user_id` keeps its small letter.
  const capital = /^\p{L}+(\s|$)/u.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?:]$/.test(capital) ? capital : `${capital}.`;
}

/** The last part of a path, on any system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
}

/** The folder a path lies in. */
export function folderOf(path: string): string {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return cut > 0 ? path.slice(0, cut) : path;
}

/** Whether a dropped path looks like a scanner's log rather than a folder. */
export function looksLikeLog(path: string): boolean {
  return /\.(sarif|sarif\.json|json)$/i.test(path);
}

/** Whether a dropped file is taken for a configuration, going by its name. */
export function looksLikeConfig(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

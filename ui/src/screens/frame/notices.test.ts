import { expect, test } from "vitest";
import type { ScanView } from "../../backend/generated";
import { type Notice, type Shown, added, noticeOfImport, staying } from "./notices";
import { egressWords } from "./strip";

function scan(change: Partial<ScanView> = {}): ScanView {
  return {
    tool: "scanner",
    state: "complete",
    reason: null,
    results: 3,
    new_findings: 1,
    complaints: [],
    complaint_count: 0,
    at: 0,
    ...change,
  };
}

const failed = scan({
  tool: "other",
  state: "failed",
  reason: "it read none of the files",
  results: 0,
  new_findings: 0,
});

test("a scan that failed is said to have failed, also beside one that did not", () => {
  for (const scans of [[failed], [scan(), failed]]) {
    const notice = noticeOfImport("Imported a.sarif", { project: "p1", scans });
    expect(notice.tone).toBe("fail");
    expect(notice.title).toBe("The scan by other failed: that is not a clean result");
    expect(notice.lines).toContain("other: It read none of the files. Its silence proves nothing.");
  }
});

test("a log without a scan proves nothing", () => {
  expect(noticeOfImport("Imported a.sarif", { project: "p1", scans: [] }).tone).toBe("fail");
});

test("results and new findings are summed, and what could not be used is quoted", () => {
  const notice = noticeOfImport("Imported a.sarif", {
    project: "p1",
    scans: [scan(), scan({ complaints: ["a", "b", "c", "d"], complaint_count: 7 })],
  });
  expect(notice).toEqual({
    tone: "pass",
    title: "Imported a.sarif: 6 results, 2 new",
    lines: ["scanner: 7 parts could not be used: a; b; c"],
  });
});

const plain = { tone: "plain", title: "Patch copied" } as const;
const done = { tone: "pass", title: "Applied: a.py written" } as const;
const refused = { tone: "fail", title: "The fix was not applied", lines: ["a.py has changed in line 3."] } as const;
const broken = { tone: "fail", title: "The scan by other failed" } as const;

test.each<[string, Notice[], Notice[]]>([
  ["the newest takes the place of the one before", [plain, done], [done]],
  ["a failure stays beside what is said later", [refused, plain, done], [refused, done]],
  ["failures stand together", [refused, broken], [refused, broken]],
  ["a failure said again stands once", [refused, broken, refused], [broken, refused]],
  ["what was done stays when something fails", [done, refused], [refused, done]],
  ["what was begun does not", [plain, refused], [refused]],
])("%s", (_, said, up) => {
  const shown = said.reduce<readonly Shown[]>(
    (before, notice, id) => added(before, { ...notice, id, where: "inbox" }),
    [],
  );
  expect(shown.map(({ title }) => title)).toEqual(up.map(({ title }) => title));
});

test("all but failures go with the place where they were said", () => {
  const shown = [
    { ...refused, id: 1, where: "inbox" },
    { ...done, id: 2, where: "finding/a" },
  ];
  expect(staying(shown, "finding/a")).toBe(shown);
  expect(staying(shown, "finding/b").map(({ id }) => id)).toEqual([1]);
});

test.each([
  [0, "open", "Network by rule: nothing left this machine"],
  [1, "open", "Network by rule: 1 request left this machine"],
  [0, "local_only", "Local only: nothing left this machine"],
  [2, "offline", "Offline: 2 requests left this machine"],
] as const)("%d requests, network %s", (egress, network, words) =>
  expect(egressWords({ egress, network })).toBe(words),
);

import type { OpName } from "../../src/engine/ops/names.ts";
import type { CaseInput, OpCase } from "./types.ts";

const list = (fill: readonly number[]): CaseInput => ({ shape: [fill.length], dtype: "u32", fill });

/** Rows of each segment, both ways, with room for `edges` and nonsense in what room is left. */
function listsOf(segments: readonly (readonly number[])[], rows: number, edges?: number): CaseInput[] {
  const offsets = [0], sources = segments.flat();
  for (const members of segments) offsets.push(offsets.at(-1)! + members.length);
  const rowOffsets = [0], backwards: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (const [n, members] of segments.entries()) {
      backwards.push(...members.filter((member) => member === row).map(() => n));
    }
    rowOffsets.push(backwards.length);
  }
  const room = (values: readonly number[]) => [
    ...values,
    ...new Array<number>((edges ?? values.length) - values.length).fill(4294967295),
  ];
  return [list(offsets), list(room(sources)), list(rowOffsets), list(room(backwards))];
}

interface Layout {
  readonly name: string;
  readonly lists: readonly CaseInput[];
  readonly segments: number;
  readonly rows: number;
  readonly width: number;
  readonly terms: number;
}

/** Segments of any length, some empty, over rows that stand in any number of them. */
function scattered(segments: number, rows: number, width: number, edges?: number): Layout {
  const members = Array.from(
    { length: segments },
    (_, n) => Array.from({ length: (n * 5) % 7 }, (_, k) => (n * 3 + k * k) % rows),
  );
  return {
    name: `${segments} segments of ${rows} rows [${width}]`,
    lists: listsOf(members, rows, edges),
    segments,
    rows,
    width,
    terms: 8,
  };
}

const layouts: readonly Layout[] = [
  scattered(9, 6, 8),
  scattered(5, 11, 3),
  { ...scattered(7, 4, 4, 64), name: "room for more edges" },
  { name: "one segment of all", lists: listsOf([[0, 1, 2, 3]], 4), segments: 1, rows: 4, width: 1, terms: 4 },
  { name: "nothing at all", lists: listsOf([[], []], 3, 2), segments: 2, rows: 3, width: 4, terms: 1 },
  {
    name: "the same row twice",
    lists: listsOf([[1, 0, 1], [2, 2], [0]], 3),
    segments: 3,
    rows: 3,
    width: 5,
    terms: 3,
  },
];

const reduction = (op: OpName) =>
  layouts.map(({ name, lists, rows, width, terms }): OpCase => ({
    name: `${op}: ${name}`,
    op,
    inputs: [{ shape: [rows, width], fill: "distinct" }, ...lists],
    terms,
  }));

/** Rows 0 and 1 are the largest of the first segment, 2 of the second. */
const ties: OpCase = {
  name: "segmentMax: ties",
  op: "segmentMax",
  inputs: [{ shape: [3, 1], fill: [2, 2, 1] }, ...listsOf([[0, 1, 2], [2]], 3)],
  // There is a kink at a tie.
  checkGradient: false,
};

const TIED = [[0, 1, 2], [2, 2], []];

export const segmentCases: readonly OpCase[] = [
  ...reduction("segmentSum"),
  ...reduction("segmentMean"),
  ...reduction("segmentMax"),
  ties,
  ...layouts.map(({ name, lists, segments, width, terms }): OpCase => ({
    name: `segmentMeanGradient: ${name}`,
    op: "segmentMeanGradient",
    inputs: [{ shape: [segments, width] }, ...lists],
    terms,
  })),
  {
    name: "segmentMaxGradient: ties take equal parts",
    op: "segmentMaxGradient",
    inputs: [
      { shape: [3, 4] },
      { shape: [3, 4], fill: [2, 5, 1, 0, 2, 3, 1, 0, 1, 4, 0, 0] },
      { shape: [3, 4], fill: [2, 5, 1, 0, 1, 4, 0, 0, 0, 0, 0, 0] },
      ...listsOf(TIED, 3),
    ],
    terms: 2,
  },
  {
    name: "segmentMaxGradient: odd rows",
    op: "segmentMaxGradient",
    inputs: [
      { shape: [3, 1] },
      { shape: [3, 1], fill: [1, 3, 3] },
      { shape: [3, 1], fill: [3, 3, 0] },
      ...listsOf(TIED, 3, 9),
    ],
    terms: 2,
  },
  {
    name: "segmentSum: past the end",
    op: "segmentSum",
    inputs: [
      { shape: [3, 2] },
      list([0, 1, 9]),
      list([7, 1]),
      list([0, 0, 1, 2]),
      list([1, 0]),
    ],
    terms: 2,
    // The lists are not each other's transpose.
    checkGradient: false,
  },
];

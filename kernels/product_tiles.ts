/** How workgroups divide matrix products: sizes, and how fast each is where there is enough work. */
import matrixSource from "../shaders/product/matrix.wgsl" with { type: "text" };
import tiledSource from "../shaders/product/tiled.wgsl" with { type: "text" };
import type { Call, DeviceTraits } from "../src/engine/gpu/kernel.ts";

export interface Tile {
  readonly id: string;
  readonly source: string;
  /** Results of a workgroup. */
  readonly rows: number;
  readonly columns: number;
  /** Values of k in workgroup memory. */
  readonly depth: number;
  readonly invocations: number;
  /** Multiply-adds a nanosecond with all cores of an NVIDIA H200 at work. */
  readonly rate: number;
  /** Nanoseconds from one slab of a workgroup to the next there, however few workgroups there are. */
  readonly latency: number;
  /** Whether it reads operands in octets. */
  readonly octets: boolean;
  fits(call: Call, device: DeviceTraits): boolean;
  constants(alongK: readonly [left: boolean, right: boolean], call: Call): Record<string, number>;
}

interface Layout {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Copies of a slab in workgroup memory: two save a barrier. */
  readonly slabs: 1 | 2;
  readonly rate: number;
}

/** An invocation computes 4 · `quads` results a side in registers. */
function registerTile(quads: 1 | 2, { rows, columns, depth, slabs, rate }: Layout): Tile {
  const threads = [rows / (4 * quads), columns / (4 * quads)];
  const invocations = threads[0] * threads[1];
  const bytes = 4 * slabs * depth * (rows + columns) +
    4 * 16 * slabs * 2 * depth / 4 * Math.max(1, 32 / depth);
  return {
    id: `tiled${rows}x${columns}`,
    source: tiledSource,
    rows,
    columns,
    depth,
    invocations,
    rate,
    latency: quads === 1 ? 610 : 1030,
    octets: false,
    fits: (_, device) => bytes <= device.maxWorkgroupBytes,
    constants: () => ({
      THREAD_ROWS: threads[0],
      THREAD_COLUMNS: threads[1],
      ROW_QUADS: quads,
      COLUMN_QUADS: quads,
      DEPTH: depth,
      BLOCKS: Math.ceil((rows + columns) * depth / (16 * invocations)),
      SLABS: slabs,
    }),
  };
}

export const REGISTER_TILES: readonly Tile[] = [
  registerTile(2, { rows: 128, columns: 128, depth: 16, slabs: 1, rate: 20_000 }),
  registerTile(2, { rows: 128, columns: 64, depth: 16, slabs: 1, rate: 18_000 }),
  registerTile(2, { rows: 64, columns: 64, depth: 16, slabs: 1, rate: 18_800 }),
  registerTile(2, { rows: 128, columns: 32, depth: 16, slabs: 1, rate: 13_800 }),
  registerTile(1, { rows: 64, columns: 16, depth: 16, slabs: 2, rate: 6_900 }),
  registerTile(1, { rows: 32, columns: 32, depth: 16, slabs: 2, rate: 11_200 }),
];

/** Invocations of a subgroup on the GPUs that have matrix units. */
const SUBGROUP = 32;

/** A subgroup computes `matrices` results of 16 × 16 on matrix units, from operands rounded to halves. */
function matrixTile(
  subgroups: readonly [rows: number, columns: number],
  matrices: readonly [rows: number, columns: number],
  { depth, slabs, rate }: Omit<Layout, "rows" | "columns">,
): Tile {
  const rows = 16 * subgroups[0] * matrices[0], columns = 16 * subgroups[1] * matrices[1];
  const invocations = SUBGROUP * subgroups[0] * subgroups[1];
  const loads = (lines: number) => Math.ceil(lines * depth / (8 * invocations));
  // Halves with 8 to spare in each row, or f32 results on their way out.
  const bytes = Math.max(
    2 * slabs * ((rows + columns) * (depth + 8) + 8 * depth),
    64 * rows * columns / (16 * matrices[0]),
  );
  return {
    id: `matrices${rows}x${columns}x${depth}`,
    source: matrixSource,
    rows,
    columns,
    depth,
    invocations,
    rate,
    latency: 1030,
    octets: true,
    fits: ({ inputs }, device) =>
      device.features.has("chromium-experimental-subgroup-matrix") && bytes <= device.maxWorkgroupBytes &&
      inputs.some(({ stored }) => stored === "f16"),
    constants: ([left, right], { inputs }) => ({
      LEFT_HALVES: Number(inputs[0].stored === "f16"),
      RIGHT_HALVES: Number(inputs[1].stored === "f16"),
      LEFT_ALONG_K: Number(left),
      RIGHT_ALONG_K: Number(right),
      SUBGROUP_ROWS: subgroups[0],
      SUBGROUP_COLUMNS: subgroups[1],
      ROW_MATRICES: matrices[0],
      COLUMN_MATRICES: matrices[1],
      DEPTH: depth,
      DEPTH16: depth / 16,
      SLABS: slabs,
      LEFT_LOADS: loads(rows),
      RIGHT_LOADS: loads(columns),
    }),
  };
}

export const MATRIX_TILES: readonly Tile[] = [
  matrixTile([4, 2], [4, 4], { depth: 32, slabs: 1, rate: 74_000 }),
  matrixTile([2, 2], [4, 4], { depth: 32, slabs: 1, rate: 76_000 }),
  matrixTile([2, 4], [4, 2], { depth: 64, slabs: 1, rate: 78_000 }),
  matrixTile([4, 2], [4, 2], { depth: 32, slabs: 1, rate: 49_000 }),
  matrixTile([4, 2], [2, 2], { depth: 64, slabs: 1, rate: 47_000 }),
  matrixTile([2, 2], [2, 2], { depth: 64, slabs: 1, rate: 46_000 }),
  matrixTile([4, 2], [4, 1], { depth: 32, slabs: 2, rate: 27_000 }),
  matrixTile([4, 1], [2, 2], { depth: 32, slabs: 2, rate: 26_000 }),
  matrixTile([8, 1], [1, 1], { depth: 32, slabs: 2, rate: 16_500 }),
];

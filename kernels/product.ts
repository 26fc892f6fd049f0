/** Matrix products on a GPU: one tiled kernel, whatever the operands are. */
import sumSource from "../shaders/product/sum.wgsl" with { type: "text" };
import sum4Source from "../shaders/product/sum4.wgsl" with { type: "text" };
import tiledSource from "../shaders/product/tiled.wgsl" with { type: "text" };
import {
  type Attrs,
  type Call,
  type DeviceTraits,
  type Lowering,
  type Variant,
  workgroupsFor,
} from "../src/engine/gpu/kernel.ts";

/** A product [batch, m, k] × [batch, k, n] by how its operands are read. */
export interface Product {
  /** As in profiles: `conv2d/forward`. */
  readonly name: string;
  /** WGSL with bindings 0 and 1 and the functions `leftBlock`, `rightBlock` and `resultRow`. */
  readonly operands: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Rows of the result; fewer than batch · m where some are left out. */
  readonly rows: number;
}

/** How a workgroup and its invocations divide a tile. */
export interface Tile {
  readonly threads: readonly [rows: number, columns: number];
  /** 4 × 4 results of an invocation. */
  readonly quads: readonly [rows: number, columns: number];
  /** Values of k in workgroup memory, and in how many buffers. */
  readonly depth: number;
  readonly slabs: 1 | 2;
}

/** Results of a workgroup. */
export function tileSize({ threads, quads }: Tile): [rows: number, columns: number] {
  return [4 * threads[0] * quads[0], 4 * threads[1] * quads[1]];
}

function workgroupBytes(tile: Tile): number {
  const [rows, columns] = tileSize(tile);
  return 4 * tile.slabs * tile.depth * (rows + columns);
}

const MAX_WORKGROUPS = 65_535;

/** How a tile covers a product; `splits` parts of k are summed by a second dispatch. */
function coverage(product: Product, tile: Tile, wantedSplits: number) {
  const [rows, columns] = tileSize(tile);
  const grid = [Math.ceil(product.n / columns), Math.ceil(product.m / rows)] as const;
  const depth4 = tile.depth / 4;
  const k4 = Math.ceil(product.k / 4);
  const slabs = Math.ceil(k4 / depth4);
  const chunk = Math.ceil(slabs / Math.min(slabs, wantedSplits));
  return { grid, k4, chunk4: chunk * depth4, splits: Math.ceil(slabs / chunk) };
}

/** Dispatches of a product in given tiles. */
export function lowerProduct(product: Product, tile: Tile, wantedSplits: number): Lowering {
  const { grid, k4, chunk4, splits } = coverage(product, tile, wantedSplits);
  const { threads, quads, depth, slabs } = tile;
  const [rows, columns] = tileSize(tile);
  const n4 = Math.ceil(product.n / 4);
  const summed = splits > 1 || product.n % 4 !== 0;
  const main = {
    name: `${product.name}/tiled${rows}x${columns}`,
    source: product.operands + tiledSource,
    constants: {
      ...product.constants,
      M: product.m,
      N4: n4,
      K4: k4,
      CHUNK4: chunk4,
      SPLITS: splits,
      SPLIT_ROWS: product.rows,
      THREAD_ROWS: threads[0],
      THREAD_COLUMNS: threads[1],
      ROW_QUADS: quads[0],
      COLUMN_QUADS: quads[1],
      DEPTH: depth,
      BLOCKS: Math.ceil((rows + columns) * depth / (16 * threads[0] * threads[1])),
      SLABS: slabs,
    },
    operands: [{ input: 0 }, { input: 1 }, summed ? { scratch: 0 } : "output"] as const,
    workgroups: [grid[0], grid[1], product.batch * splits] as const,
  };
  if (!summed) return { dispatches: [main], scratchBytes: [] };
  const vectors = product.n % 4 === 0;
  const size = product.rows * (vectors ? n4 : product.n);
  const lanes = Math.min(16, 2 ** Math.floor(Math.log2(Math.max(1, splits / 4))));
  const width = 128 / lanes;
  return {
    dispatches: [main, {
      name: `${product.name}/sum`,
      source: vectors ? sum4Source : sumSource,
      constants: {
        SIZE: size,
        SPLITS: splits,
        WIDTH: width,
        LANES: lanes,
        ...vectors ? {} : { N: product.n, N4: n4 },
      },
      operands: [{ scratch: 0 }, "output"],
      workgroups: workgroupsFor(size, width),
    }],
    scratchBytes: [16 * splits * product.rows * n4],
  };
}

const tile = (
  threads: Tile["threads"],
  quads: Tile["quads"],
  depth: number,
  slabs: Tile["slabs"],
): Tile => ({ threads, quads, depth, slabs });

/** From large and frugal with memory to small and many. */
export const TILES: readonly Tile[] = [
  tile([16, 16], [2, 2], 8, 2),
  tile([16, 8], [2, 2], 8, 2),
  tile([16, 4], [2, 2], 8, 2),
  tile([32, 2], [2, 2], 8, 1),
  tile([8, 8], [2, 2], 16, 1),
  tile([8, 8], [1, 1], 16, 2),
  tile([16, 4], [1, 1], 16, 2),
];

/** Workgroups that keep a large GPU busy. */
const ENOUGH = 264;

/** Parts of k for enough workgroups; a part is at least 128 long. */
function splitsFor(product: Product, tile: Tile): number {
  const { grid } = coverage(product, tile, 1);
  const groups = product.batch * grid[0] * grid[1];
  return Math.max(1, Math.min(Math.floor(2 * ENOUGH / groups), Math.floor(product.k / 128)));
}

/** Largest tile that wastes little and leaves enough workgroups; else the one that makes most. */
function bestTile(product: Product): Tile {
  const cost = (candidate: Tile) => {
    const [rows, columns] = tileSize(candidate);
    const splits = splitsFor(product, candidate);
    const { grid } = coverage(product, candidate, splits);
    const groups = product.batch * grid[0] * grid[1] * splits;
    // Reads from workgroup memory per multiplication fall with the registers' tile.
    const perResult = 1 + 2 / candidate.quads[0] + 2 / candidate.quads[1];
    const padded = grid[0] * columns * grid[1] * rows;
    return padded * perResult *
      Math.max(1, ENOUGH * (rows * columns / 4096) / groups / (rows * columns / 4096));
  };
  return TILES.reduce((best, candidate) => cost(candidate) < cost(best) ? candidate : best);
}

function fitsTile(product: Product, tile: Tile, device: DeviceTraits): boolean {
  const { grid } = coverage(product, tile, 1);
  return !device.software && workgroupBytes(tile) <= device.maxWorkgroupBytes && grid[1] <= MAX_WORKGROUPS;
}

/** Variants of an op that is a product: first the tile that suits it, then each tile for those who measure. */
export function productVariants<A extends Attrs>(productOf: (call: Call<A>) => Product | null): Variant<A>[] {
  const variant = (id: string, tileOf: (product: Product) => Tile): Variant<A> => ({
    id,
    fits(call, device) {
      const product = productOf(call);
      return product !== null && fitsTile(product, tileOf(product), device);
    },
    lower(call) {
      const product = productOf(call)!;
      const tile = tileOf(product);
      return lowerProduct(product, tile, splitsFor(product, tile));
    },
  });
  return [
    variant("tiled", bestTile),
    ...TILES.map((tile) => variant(`tiled${tileSize(tile).join("x")}`, () => tile)),
  ];
}

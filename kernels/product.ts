/** Matrix products on a GPU: one kernel for registers and one for matrix units, whatever the operands are. */
import numbersSource from "../shaders/product/numbers.wgsl" with { type: "text" };
import sumSource from "../shaders/product/sum.wgsl" with { type: "text" };
import sum4Source from "../shaders/product/sum4.wgsl" with { type: "text" };
import {
  type Attrs,
  type Call,
  type DeviceTraits,
  type Lowering,
  type Variant,
  workgroupsFor,
} from "../src/engine/gpu/kernel.ts";
import { MATRIX_TILES, REGISTER_TILES, type Tile } from "./product_tiles.ts";

/** A product [batch, m, k] × [batch, k, n] by how its operands are read. */
export interface Product {
  /** As in profiles: `conv2d/forward`. */
  readonly name: string;
  /** WGSL with bindings 0 and 1 and the functions `leftBlock`, `rightBlock` and `resultRow`. */
  readonly operands: string;
  readonly constants: Readonly<Record<string, number>>;
  /** The same with `leftOctet` and `rightOctet`, where rows of either operand divide by eight. */
  readonly octets?: Pick<Product, "operands" | "constants"> | undefined;
  /** Whether neighbours in memory differ in k, for either operand. */
  readonly alongK: readonly [left: boolean, right: boolean];
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Rows of the result; fewer than batch · m where some are left out. */
  readonly rows: number;
}

/** A tile, and into how many parts k is split. Partial results are added up in order by a second dispatch. */
interface Plan {
  readonly tile: Tile;
  readonly splits: number;
}

const MAX_WORKGROUPS = 65_535;
/** Parts of k are at least this long. */
const SHORTEST_PART = 64;

/** Tiles side by side, as workgroups. */
function gridOf({ m, n }: Product, { rows, columns }: Tile): readonly [number, number] {
  return [Math.ceil(n / columns), Math.ceil(m / rows)];
}

/** Slabs of k in a part, so that none is empty. */
function slabsPerPart({ k }: Product, { depth }: Tile, splits: number): number {
  return Math.ceil(Math.ceil(k / depth) / splits);
}

const fitsInFour = ({ n }: Product) => n % 4 === 0;

/** The lines of a tile that write results four at a time. */
const RESULTS = /^\/\/ results$[^]*^\/\/ end of results$/m;

function lowerProduct(product: Product, { tile, splits: wanted }: Plan, call: Call): Lowering {
  const perPart = slabsPerPart(product, tile, wanted);
  const splits = Math.ceil(Math.ceil(product.k / tile.depth) / perPart);
  const [across, down] = gridOf(product, tile);
  const n4 = Math.ceil(product.n / 4);
  const summed = splits > 1, vectors = fitsInFour(product);
  const source = summed || vectors ? tile.source : tile.source.replace(RESULTS, () => numbersSource);
  const { operands, constants } = tile.octets ? product.octets! : product;
  const main = {
    name: `${product.name}/${tile.id}`,
    source: source + operands,
    constants: {
      ...constants,
      ...tile.constants(product.alongK, call),
      M: product.m,
      N4: n4,
      K4: Math.ceil(product.k / 4),
      CHUNK4: perPart * tile.depth / 4,
      SPLITS: splits,
      SPLIT_ROWS: product.rows,
      WHOLE_M: Number(product.m % tile.rows === 0),
      WHOLE_N: Number(product.n % tile.columns === 0),
      WHOLE_K: Number(product.k % tile.depth === 0),
      ...source === tile.source ? {} : { COLUMNS: product.n },
    },
    operands: [{ input: 0 }, { input: 1 }, summed ? { scratch: 0 } : "output"] as const,
    workgroups: [across, down, product.batch * splits] as const,
  };
  if (!summed) return { dispatches: [main], scratchBytes: [] };
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
        EACH: Math.ceil(splits / lanes),
        ...vectors ? {} : { N: product.n, N4: n4 },
      },
      operands: [{ scratch: 0 }, "output"],
      workgroups: workgroupsFor(size, width),
    }],
    scratchBytes: [16 * splits * product.rows * n4],
    ...vectors ? { sum: { size, splits, lanes } } : {},
  };
}

/** A large GPU as the estimate sees it: fitted to 650 timings on an NVIDIA H200. Other devices have tune-kernels. */
const CORES = 132;
/** Invocations that a core has at work at a time. */
const AT_WORK = 448;
/** Nanoseconds of one more dispatch that depends on another, and bytes a nanosecond that it reads and writes. */
export const DISPATCH = 3000;
const BANDWIDTH = 8000;

/** Estimated nanoseconds of a product: rounds of workgroups, slab after slab, and adding up the parts. */
function estimate(product: Product, { tile, splits }: Plan): number {
  const [across, down] = gridOf(product, tile);
  const perCore = product.batch * across * down * splits / CORES;
  const atOnce = AT_WORK / tile.invocations;
  const work = tile.rows * tile.columns * tile.depth / (tile.rate / CORES);
  const slab = Math.max(tile.latency, Math.min(Math.ceil(perCore), atOnce) * work);
  const sum = splits > 1 ? 2 * DISPATCH + 8 * splits * product.rows * product.n / BANDWIDTH : 0;
  return Math.max(1, perCore / atOnce) * slabsPerPart(product, tile, splits) * slab + sum;
}

function bestPlan(product: Product, tiles: readonly Tile[]): Plan {
  const longest = Math.max(1, Math.floor(product.k / SHORTEST_PART));
  const parts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256].filter((n) => n <= longest);
  const plans = tiles.flatMap((tile) => parts.map((splits) => ({ tile, splits })));
  return plans.reduce((best, plan) => estimate(product, plan) < estimate(product, best) ? plan : best);
}

/** The best of `tiles` that a device has room for, for a product that may be a part of another lowering; null if none fits. */
export function planProduct(
  product: Product,
  tiles: readonly Tile[],
  call: Call,
  device: DeviceTraits,
): { readonly lowering: Lowering; readonly nanoseconds: number } | null {
  const fitting = tiles.filter((tile) =>
    (!tile.octets || product.octets) && tile.fits(call, device) && gridOf(product, tile)[1] <= MAX_WORKGROUPS
  );
  if (fitting.length === 0) return null;
  const plan = bestPlan(product, fitting);
  return { lowering: lowerProduct(product, plan, call), nanoseconds: estimate(product, plan) };
}

/** Variants of an op that is a product: the plan that suits it best, then each tile for those who measure. */
export function productVariants<A extends Attrs>(productOf: (call: Call<A>) => Product | null): Variant<A>[] {
  const variant = (id: string, tiles: readonly Tile[]): Variant<A> => {
    const plan = (call: Call<A>, device: DeviceTraits) => {
      const product = productOf(call);
      return product && !device.software ? planProduct(product, tiles, call, device) : null;
    };
    return {
      id,
      fits: (call, device) => plan(call, device) !== null,
      lower: (call, device) => plan(call, device)!.lowering,
    };
  };
  return [
    variant("matrices", MATRIX_TILES),
    variant("tiled", REGISTER_TILES),
    ...[...MATRIX_TILES, ...REGISTER_TILES].map((tile) => variant(tile.id, [tile])),
  ];
}

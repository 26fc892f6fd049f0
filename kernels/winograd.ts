/**
 * 3×3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and Gray 2016): tiles of the source and the filter are
 * transformed, multiplied point by point, which is a product of matrices over the channels for each point, and transformed
 * back. F(2×2, 3×3) multiplies 16 times where a direct convolution does 36 times, F(4×4, 3×3) 36 times where it does 144.
 */
import cotangentSource from "../shaders/winograd/cotangent.wgsl" with { type: "text" };
import filterSource from "../shaders/winograd/filter.wgsl" with { type: "text" };
import filterGradientSource from "../shaders/winograd/filter_gradient.wgsl" with { type: "text" };
import matmulSource from "../shaders/product/matmul.wgsl" with { type: "text" };
import points2Source from "../shaders/winograd/points2.wgsl" with { type: "text" };
import points4Source from "../shaders/winograd/points4.wgsl" with { type: "text" };
import resultSource from "../shaders/winograd/result.wgsl" with { type: "text" };
import sourceSource from "../shaders/winograd/source.wgsl" with { type: "text" };
import {
  type Attrs,
  type Call,
  type DeviceTraits,
  type Dispatch,
  type Lowering,
  type Variant,
  workgroupsFor,
} from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";
import { DISPATCH, planProduct, type Product } from "./product.ts";
import { REGISTER_TILES } from "./product_tiles.ts";

/** A convolution with a 3×3 kernel and stride 1, or a gradient of one; channels come in fours. */
export interface Winograd {
  /**
   * `result`: input 0, the source, is convolved with input 1, the filter. `filter`: input 1 is the cotangent of such a
   * result, and the gradient of the filter is wanted.
   */
  readonly wanted: "result" | "filter";
  readonly batch: number;
  readonly source: readonly [number, number];
  readonly sourceChannels: number;
  readonly result: readonly [number, number];
  readonly channels: number;
  /** Of the source; negative where its border is left out. */
  readonly padding: number;
  /** Whether the filter is turned by half a turn and its channels are swapped, as in an input gradient. */
  readonly turned: boolean;
}

/** A way to transform: results of a tile along one side, and the values that are multiplied there. */
interface Points {
  readonly out: number;
  readonly side: number;
  readonly source: string;
}

const POINTS: readonly Points[] = [
  { out: 4, side: 6, source: points4Source },
  { out: 2, side: 4, source: points2Source },
];

interface Plan {
  readonly lowering: Lowering;
  readonly nanoseconds: number;
}

/** Bytes a nanosecond of transforms and of what the products read and write, on an NVIDIA H200. */
const BANDWIDTH = 3000;
/** What takes more than this of a direct product's time is not worth its memory. */
const CLEARLY = 0.9;
const WORKGROUP = 64;

/** How tiles cover the images of a batch. */
interface Tiling {
  readonly down: number;
  readonly across: number;
  readonly tiles: number;
}

function tilingOf({ batch, result }: Winograd, { out }: Points): Tiling {
  const [down, across] = result.map((size) => Math.ceil(size / out));
  return { down, across, tiles: batch * down * across };
}

/** A transform: an invocation for each of `count` vec4s of a plane. */
function transform(
  name: string,
  source: string,
  { out, source: points }: Points,
  count: number,
  rest: Pick<Dispatch, "constants" | "operands">,
): Dispatch {
  const workgroups = workgroupsFor(count, WORKGROUP);
  return { name: `conv2d/winograd${out}/${name}`, source: source + points, workgroups, ...rest };
}

/** Constants of a transform of images. */
function imageConstants(
  { tiles, down, across }: Tiling,
  [height, width]: readonly [number, number],
  channels: number,
): Record<string, number> {
  return {
    TILES: tiles,
    TILES_DOWN: down,
    TILES_ACROSS: across,
    HEIGHT: height,
    WIDTH: width,
    CHANNELS: channels / 4,
  };
}

const SOURCE = { scratch: 0 }, RIGHT = { scratch: 1 }, PRODUCTS = { scratch: 2 };

/**
 * Joins transforms and products: `before` writes the planes SOURCE and RIGHT, `after` reads PRODUCTS; `planes` are their
 * numbers. Null where the device has no room.
 */
function join(
  product: Product,
  before: readonly Dispatch[],
  after: Dispatch,
  planes: readonly [source: number, right: number, products: number],
  /** Numbers of what is transformed and of the result. */
  beside: number,
  call: Call,
  device: DeviceTraits,
): Plan | null {
  const plan = planProduct(product, REGISTER_TILES, call, device);
  const scratchBytes = planes.map((count) => 4 * count);
  if (!plan || Math.max(...scratchBytes) > device.maxBufferBytes) return null;
  const products = plan.lowering.dispatches.map((dispatch): Dispatch => ({
    ...dispatch,
    operands: dispatch.operands.map((operand) =>
      operand === "output"
        ? PRODUCTS
        : "input" in operand
        ? [SOURCE, RIGHT][operand.input]
        : { scratch: scratchBytes.length + operand.scratch }
    ),
  }));
  const traffic = 4 * beside + 2 * scratchBytes.reduce((total, bytes) => total + bytes);
  return {
    lowering: {
      dispatches: [...before, ...products, after],
      scratchBytes: [...scratchBytes, ...plan.lowering.scratchBytes],
    },
    nanoseconds: plan.nanoseconds + 3 * DISPATCH + traffic / BANDWIDTH,
  };
}

/** A convolution: products of [tiles, source channels] and [source channels, channels]. */
function planResult(task: Winograd, points: Points, call: Call, device: DeviceTraits): Plan | null {
  const { batch, source, sourceChannels, result, channels, padding, turned } = task;
  const tiling = tilingOf(task, points), { tiles } = tiling;
  const values = points.side ** 2, size = sourceChannels * channels;
  const before = [
    transform("source", sourceSource, points, tiles * sourceChannels / 4, {
      constants: {
        ...imageConstants(tiling, source, sourceChannels),
        PLANE_TILES: tiles,
        PADDING: padding,
      },
      operands: [{ input: 0 }, SOURCE],
    }),
    transform("filter", filterSource, points, size / 4, {
      constants: { SIZE: size / 4, TURNED: Number(turned) },
      operands: [{ input: 1 }, RIGHT],
    }),
  ];
  const after = transform("result", resultSource, points, tiles * channels / 4, {
    constants: imageConstants(tiling, result, channels),
    operands: [PRODUCTS, "output"],
  });
  const product: Product = {
    name: `conv2d/winograd${points.out}`,
    operands: matmulSource,
    constants: { TRANSPOSE_B: Number(turned) },
    alongK: [true, turned],
    batch: values,
    m: tiles,
    n: channels,
    k: sourceChannels,
    rows: values * tiles,
  };
  const planes = [values * tiles * sourceChannels, values * size, values * tiles * channels] as const;
  const beside = batch * (sizeOf(source) * sourceChannels + sizeOf(result) * channels) + 9 * size;
  return join(product, before, after, planes, beside, call, device);
}

/** A filter's gradient: products of [source channels, tiles] and [tiles, channels]. */
function planFilter(task: Winograd, points: Points, call: Call, device: DeviceTraits): Plan | null {
  const { batch, source, sourceChannels, result, channels, padding } = task;
  const tiling = tilingOf(task, points);
  const tiles = 4 * Math.ceil(tiling.tiles / 4);
  const values = points.side ** 2, size = sourceChannels * channels;
  const before = [
    transform("source", sourceSource, points, tiles * sourceChannels / 4, {
      constants: {
        ...imageConstants(tiling, source, sourceChannels),
        PLANE_TILES: tiles,
        PADDING: padding,
      },
      operands: [{ input: 0 }, SOURCE],
    }),
    transform("cotangent", cotangentSource, points, tiles * channels / 4, {
      constants: { ...imageConstants(tiling, result, channels), PLANE_TILES: tiles },
      operands: [{ input: 1 }, RIGHT],
    }),
  ];
  const after = transform("filter_gradient", filterGradientSource, points, size / 4, {
    constants: { SIZE: size / 4 },
    operands: [PRODUCTS, "output"],
  });
  const product: Product = {
    name: `conv2d/winograd${points.out}`,
    operands: matmulSource,
    constants: { TRANSPOSE_A: 1 },
    alongK: [false, false],
    batch: values,
    m: sourceChannels,
    n: channels,
    k: tiles,
    rows: values * sourceChannels,
  };
  const planes = [values * tiles * sourceChannels, values * tiles * channels, values * size] as const;
  const beside = batch * (sizeOf(source) * sourceChannels + sizeOf(result) * channels) + 9 * size;
  return join(product, before, after, planes, beside, call, device);
}

/**
 * Variants of an op that is a convolution in f32 or a gradient of one: `best` where it should be clearly faster than the product
 * that `directOf` gives, and `each` for those who measure.
 */
export function winogradVariants<A extends Attrs>(
  taskOf: (call: Call<A>) => Winograd | null,
  directOf: (call: Call<A>) => Product | null,
): { readonly best: Variant<A>; readonly each: readonly Variant<A>[] } {
  const planOf = (call: Call<A>, device: DeviceTraits, some = POINTS): Plan | null => {
    const halves = [...call.inputs, call.output].some(({ stored }) => stored === "f16");
    const task = device.software || halves ? null : taskOf(call);
    if (!task) return null;
    const plan = task.wanted === "result" ? planResult : planFilter;
    return some.map((points) => plan(task, points, call, device))
      .filter((found) => found !== null)
      .reduce<Plan | null>((a, b) => a && a.nanoseconds <= b.nanoseconds ? a : b, null);
  };
  return {
    best: {
      id: "winograd",
      fits(call, device) {
        const plan = planOf(call, device), product = directOf(call);
        const direct = product && planProduct(product, REGISTER_TILES, call, device);
        return plan !== null && direct !== null && plan.nanoseconds < CLEARLY * direct.nanoseconds;
      },
      lower: (call, device) => planOf(call, device)!.lowering,
    },
    each: POINTS.map((points) => ({
      id: `winograd${points.out}x${points.out}`,
      fits: (call, device) => planOf(call, device, [points]) !== null,
      lower: (call, device) => planOf(call, device, [points])!.lowering,
    })),
  };
}

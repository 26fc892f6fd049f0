import combineSource from "../shaders/norm/combine.wgsl" with { type: "text" };
import inputGradientSource from "../shaders/norm/input_gradient.wgsl" with { type: "text" };
import inputGradient4Source from "../shaders/norm/input_gradient4.wgsl" with { type: "text" };
import merge4Source from "../shaders/norm/merge4.wgsl" with { type: "text" };
import momentsGroup4Source from "../shaders/norm/moments_group4.wgsl" with { type: "text" };
import moments4Source from "../shaders/norm/moments4.wgsl" with { type: "text" };
import normalizeSource from "../shaders/norm/normalize.wgsl" with { type: "text" };
import normalize4Source from "../shaders/norm/normalize4.wgsl" with { type: "text" };
import statsSource from "../shaders/norm/stats.wgsl" with { type: "text" };
import statsGroup4Source from "../shaders/norm/stats_group4.wgsl" with { type: "text" };
import stats4Source from "../shaders/norm/stats4.wgsl" with { type: "text" };
import sumsSource from "../shaders/norm/sums.wgsl" with { type: "text" };
import sumsGroup4Source from "../shaders/norm/sums_group4.wgsl" with { type: "text" };
import sums4Source from "../shaders/norm/sums4.wgsl" with { type: "text" };
import type { Call, Dispatch, Lowering, Operand, Variant } from "../src/engine/gpu/kernel.ts";
import { single, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { type Shape, sizeOf } from "../src/util/shape.ts";
import { reduceRuns } from "./reduce.ts";
import { chunked, groupTiles, lanesFor, SERIAL_TARGET } from "./tile.ts";

export type StatsAttrs = { readonly groups: number };
export type NormAttrs = { readonly groups: number; readonly epsilon: number };
/** Which of the two sums: 0 is Σ dy·x̂ (for γ), 1 is Σ dy (for β). */
export type SumAttrs = { readonly component: number };

/** [N, …, C] as images: N examples of P positions with C channels. */
export interface Images {
  readonly n: number;
  readonly p: number;
  readonly c: number;
}

export function imagesOf(shape: Shape): Images {
  return { n: shape[0], p: sizeOf(shape.slice(1, -1)), c: shape.at(-1)! };
}

/**
 * From one row of the sums [2, N, pitch] to the next. Those of a single example are whole blocks of 64 with zeros after the
 * channels, as the gradients of γ and β lie in a parameter store.
 */
export function sumsPitch({ n, c }: Images): number {
  return n === 1 ? 64 * Math.ceil(c / 64) : c;
}

const onlyWhole4 = (call: Call<StatsAttrs>) => imagesOf(call.inputs[0].shape).c % 4 === 0;
const groupsWhole4 = (call: Call<StatsAttrs>) =>
  (imagesOf(call.inputs[0].shape).c / call.attrs.groups) % 4 === 0;
/** A group an invocation (or a workgroup) is parallel enough. */
const manyGroups = (call: Call<StatsAttrs>, enough: number) =>
  imagesOf(call.inputs[0].shape).n * call.attrs.groups >= enough;

const groupConstants = (size: number, lanes: number) => ({
  LANES: lanes,
  STEPS: Math.log2(lanes),
  WHOLE: Number(size % (8 * lanes) === 0),
});

const groupVectors = (call: Call<StatsAttrs>) => {
  const { p, c } = imagesOf(call.inputs[0].shape);
  return p * c / call.attrs.groups / 4;
};

/** One invocation or one workgroup for each group. */
function wholeGroups(
  call: Call<StatsAttrs>,
  name: string,
  source: string,
  unit: number,
  lanes: number,
): Lowering {
  const { n, p, c } = imagesOf(call.inputs[0].shape);
  const { groups } = call.attrs;
  return single({
    name,
    source,
    constants: {
      N: n,
      P: p,
      GROUPS: groups,
      CHANNELS: c / groups / unit,
      ...(lanes > 1 ? groupConstants(p * c / groups / unit, lanes) : {}),
    },
    operands: [{ input: 0 }, "output"],
    workgroups: lanes > 1 ? workgroupsFor(n * groups, 1) : workgroupsFor(n * groups, 64),
  });
}

/** How the rows of each example are cut, for a workgroup a tile or an invocation a column. */
function columnPlan({ n, p, c }: Images, grouped: boolean) {
  const tiles = grouped ? groupTiles(p, c / 4, n) : null;
  const { chunks, chunk } = tiles ?? chunked(p, Math.ceil(SERIAL_TARGET / (n * c / 4)), 16);
  return {
    chunks,
    chunk,
    constants: { N: n, P: p, C: c / 4, CHUNKS: chunks, CHUNK: chunk, ...tiles?.constants },
    workgroups: tiles ? workgroupsFor(n * chunks * tiles.blocks, 1) : workgroupsFor(n * chunks * c / 4, 64),
  };
}

/** Moments of each channel over chunks of rows, then their merger over chunks and the channels of a group. */
function byColumns(call: Call<StatsAttrs>, grouped: boolean): Lowering {
  const images = imagesOf(call.inputs[0].shape);
  const { n, c } = images;
  const { groups } = call.attrs;
  const { chunks, chunk, constants, workgroups } = columnPlan(images, grouped);
  const final = grouped && chunks === 1 && groups === c;
  const moments: Dispatch = {
    name: grouped ? "norm/moments_group4" : "norm/moments4",
    source: grouped ? momentsGroup4Source : moments4Source,
    constants: { ...constants, ...(grouped ? { FINAL: Number(final) } : {}) },
    operands: [{ input: 0 }, final ? "output" : { scratch: 0 }],
    workgroups,
  };
  if (final) return single(moments);
  const merge = grouped && groups === c
    ? mergeChannels(images, chunks, chunk)
    : mergeGroups(images, groups, chunks, chunk);
  return { dispatches: [moments, merge], scratchBytes: [4 * 2 * n * chunks * c] };
}

/** Moments [2, N, chunks, C] to statistics [2, N, G], an invocation a group. */
function mergeGroups({ n, p, c }: Images, groups: number, chunks: number, chunk: number): Dispatch {
  return {
    name: "norm/combine",
    source: combineSource,
    constants: { N: n, P: p, GROUPS: groups, CHANNELS: c / groups, CHUNKS: chunks, CHUNK: chunk },
    operands: [{ scratch: 0 }, "output"],
    workgroups: workgroupsFor(n * groups, 64),
  };
}

/** Moments [2, N, chunks, C] to statistics [2, N, C], a workgroup four channels. */
function mergeChannels({ n, p, c }: Images, chunks: number, chunk: number): Dispatch {
  const lanes = chunks > 128 ? 256 : 64;
  return {
    name: "norm/merge4",
    source: merge4Source,
    constants: {
      N: n,
      P: p,
      C: c / 4,
      CHUNKS: chunks,
      CHUNK: chunk,
      PER: Math.ceil(chunks / lanes),
      LANES: lanes,
      STEPS: Math.log2(lanes),
    },
    operands: [{ scratch: 0 }, "output"],
    workgroups: workgroupsFor(n * c / 4, 1),
  };
}

export const groupStatsVariants: readonly Variant<StatsAttrs>[] = [{
  id: "serial4",
  fits: (call, device) => device.software && groupsWhole4(call) && manyGroups(call, 64),
  lower: (call) => wholeGroups(call, "norm/stats4", stats4Source, 4, 1),
}, {
  id: "columns4",
  fits: (call, device) => device.software && onlyWhole4(call),
  lower: (call) => byColumns(call, false),
}, {
  id: "group4",
  fits: (call) => groupsWhole4(call) && (manyGroups(call, 128) || groupVectors(call) <= 32 * 256),
  lower(call) {
    const lanes = lanesFor(groupVectors(call));
    return wholeGroups(call, "norm/stats_group4", statsGroup4Source, 4, lanes);
  },
}, {
  id: "columnsGroup4",
  fits: onlyWhole4,
  lower: (call) => byColumns(call, true),
}, {
  id: "serial",
  fits: () => true,
  lower: (call) => wholeGroups(call, "norm/stats", statsSource, 1, 1),
}];

/** Invocations that walk rows chunk, chunk + CHUNKS, …: enough to fill the device, each with what it can re-use. */
const ROW_WALKERS = { software: 2048, gpu: 65_536 };
/** Rows an invocation of a GPU takes, in straight line. */
const GPU_ROWS = 8;

/** A kernel over all elements: an invocation an element, or one for each vec4 of channels and CHUNKS-th row. */
function overElements(
  call: Call<NormAttrs>,
  names: readonly [string, string],
  sources: readonly [string, string],
  software: boolean,
  extra: (images: Images) => Record<string, number>,
): Lowering {
  const { n, p, c } = imagesOf(call.inputs[0].shape);
  const { groups, epsilon } = call.attrs;
  const operands: Operand[] = [...call.inputs.map((_, input) => ({ input })), "output"];
  if (c % 4 !== 0) {
    return single({
      name: names[0],
      source: sources[0],
      constants: { N: n, P: p, C: c, GROUPS: groups, EPSILON: epsilon, ...extra({ n, p, c }) },
      operands,
      workgroups: workgroupsFor(n * p * c, 64),
    });
  }
  const walkers = software ? ROW_WALKERS.software : ROW_WALKERS.gpu;
  const enough = Math.min(p, Math.max(1, Math.ceil(walkers / (n * c / 4))));
  const rows = software ? 1 : Math.min(GPU_ROWS, 2 ** Math.floor(Math.log2(p / enough)));
  const chunks = software ? enough : Math.ceil(p / rows);
  return single({
    name: names[1],
    source: sources[1],
    constants: {
      N: n,
      P: p,
      C: c / 4,
      GROUPS: groups,
      CHUNKS: chunks,
      ROWS: rows,
      WHOLE: Number(p % (chunks * rows) === 0),
      EPSILON: epsilon,
      ...extra({ n, p, c }),
    },
    operands,
    workgroups: workgroupsFor(n * chunks * c / 4, 64),
  });
}

function elementVariants(
  names: readonly [string, string],
  sources: readonly [string, string],
  extra: (images: Images) => Record<string, number> = () => ({}),
): readonly Variant<NormAttrs>[] {
  return [{
    id: "walkers",
    fits: (_, device) => device.software,
    lower: (call) => overElements(call, names, sources, true, extra),
  }, {
    id: "rows",
    fits: () => true,
    lower: (call) => overElements(call, names, sources, false, extra),
  }];
}

export const groupNormalizeVariants = elementVariants(
  ["norm/normalize", "norm/normalize4"],
  [normalizeSource, normalize4Source],
);

export const groupNormInputGradientVariants = elementVariants(
  ["norm/input_gradient", "norm/input_gradient4"],
  [inputGradientSource, inputGradient4Source],
  (images) => ({ PITCH: sumsPitch(images) }),
);

/** Partial sums by chunks of rows, then their sum where there is more than one chunk. */
function sumsByColumns(call: Call<NormAttrs>, grouped: boolean): Lowering {
  const images = imagesOf(call.inputs[0].shape);
  const { n, c } = images;
  const { groups, epsilon } = call.attrs;
  const { chunks, constants, workgroups } = columnPlan(images, grouped);
  const partial: Operand = chunks > 1 ? { scratch: 0 } : "output";
  const first: Dispatch = {
    name: grouped ? "norm/sums_group4" : "norm/sums4",
    source: grouped ? sumsGroup4Source : sums4Source,
    constants: {
      ...constants,
      GROUPS: groups,
      EPSILON: epsilon,
      ...(chunks === 1 ? { PITCH: sumsPitch(images) / 4 } : {}),
    },
    operands: [{ input: 0 }, { input: 1 }, { input: 2 }, partial],
    workgroups,
  };
  if (chunks === 1) return single(first);
  const rest = reduceRuns(
    [{ outer: 2 * n, reduced: chunks, inner: c }],
    { scale: 1, maximum: false, grouped, offset: 0, pitch: sumsPitch(images) },
    partial,
    [4 * 2 * n * chunks * c],
  );
  return { dispatches: [first, ...rest.dispatches], scratchBytes: rest.scratchBytes };
}

export const groupNormSumsVariants: readonly Variant<NormAttrs>[] = [{
  id: "columns4",
  fits: (call, device) => device.software && onlyWhole4(call),
  lower: (call) => sumsByColumns(call, false),
}, {
  id: "columnsGroup4",
  fits: onlyWhole4,
  lower: (call) => sumsByColumns(call, true),
}, {
  id: "serial",
  fits: () => true,
  lower(call) {
    const { n, p, c } = imagesOf(call.inputs[0].shape);
    const { groups, epsilon } = call.attrs;
    return single({
      name: "norm/sums",
      source: sumsSource,
      constants: { N: n, P: p, C: c, PITCH: sumsPitch({ n, p, c }), GROUPS: groups, EPSILON: epsilon },
      operands: [{ input: 0 }, { input: 1 }, { input: 2 }, "output"],
      workgroups: workgroupsFor(n * c, 64),
    });
  },
}];

/** Sum over several examples of one half of the sums [2, N, C]. */
function sumOverExamples(call: Call<SumAttrs>, grouped: boolean): Lowering {
  const [, n, c] = call.inputs[0].shape;
  return reduceRuns([{ outer: 1, reduced: n, inner: c }], {
    scale: 1,
    maximum: false,
    grouped,
    offset: call.attrs.component * n * c,
  });
}

export const groupNormParameterGradientVariants: readonly Variant<SumAttrs>[] = [{
  id: "serial",
  fits: (_, device) => device.software,
  lower: (call) => sumOverExamples(call, false),
}, {
  id: "group",
  fits: () => true,
  lower: (call) => sumOverExamples(call, true),
}];

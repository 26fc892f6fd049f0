import groupSource from "../shaders/reduce/group.wgsl" with { type: "text" };
import group4Source from "../shaders/reduce/group4.wgsl" with { type: "text" };
import serialSource from "../shaders/reduce/serial.wgsl" with { type: "text" };
import serial4Source from "../shaders/reduce/serial4.wgsl" with { type: "text" };
import type { Attrs, Call, Dispatch, Lowering, Operand, Variant } from "../src/engine/gpu/kernel.ts";
import { workgroupsFor } from "../src/engine/gpu/kernel.ts";
import type { Shape } from "../src/util/shape.ts";
import { sizeOf } from "../src/util/shape.ts";
import { chunked, groupTiles, SERIAL_TARGET } from "./tile.ts";

/** A reduction of [outer, reduced, inner] over its middle. */
export interface Run {
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
}

export interface ReduceOptions {
  /** Result factor. */
  readonly scale: number;
  /** Maximum instead of sum. */
  readonly maximum: boolean;
  /** Workgroup memory may be used. */
  readonly grouped: boolean;
  /** First element read. */
  readonly offset: number;
  /** From one row of the result to the next, with zeros after the inner elements; for an inner that 4 divides. */
  readonly pitch?: number;
}

/** Below this many rows a lane a result beats a workgroup a result. */
const GROUP_ROWS = 32;

const SOURCES = { serial: serialSource, serial4: serial4Source, group: groupSource, group4: group4Source };

interface Stage {
  readonly chunks: number;
  readonly dispatch: (from: Operand, to: Operand, scale: number, pitch: number) => Dispatch;
}

/** One dispatch over `run`: its rows folded to `chunks` rows. */
function stageOf(run: Run, { maximum, grouped, offset }: ReduceOptions): Stage {
  const { outer, reduced, inner } = run;
  const fold = inner === 1 && reduced % 4 === 0;
  const vector = offset % 4 === 0 && (inner % 4 === 0 || fold);
  const rows = vector && fold ? reduced / 4 : reduced;
  const columns = vector && !fold ? inner / 4 : inner;
  const group = grouped && rows > GROUP_ROWS;
  const tiles = group ? groupTiles(rows, columns, outer) : null;
  const { chunks, chunk } = tiles ??
    chunked(rows, Math.ceil(SERIAL_TARGET / (outer * columns)), GROUP_ROWS);
  const file = `${group ? "group" : "serial"}${vector ? "4" : ""}` as keyof typeof SOURCES;
  return {
    chunks,
    dispatch: (from, to, scale, pitch) => ({
      name: `reduce/${file}`,
      source: SOURCES[file],
      constants: {
        OUTER: outer,
        ROWS: rows,
        INNER: columns,
        CHUNKS: chunks,
        CHUNK: chunk,
        OFFSET: vector ? offset / 4 : offset,
        SCALE: scale,
        MAXIMUM: maximum ? 1 : 0,
        ...(vector ? { FOLD: fold ? 1 : 0 } : {}),
        ...(pitch === inner ? {} : { PITCH: pitch / 4 }),
        ...tiles?.constants,
      },
      operands: [from, to],
      workgroups: tiles
        ? workgroupsFor(outer * chunks * tiles.blocks, 1)
        : workgroupsFor(outer * chunks * columns, 64),
    }),
  };
}

/**
 * Reduces `runs` one after the other, the first reading `from` and the last writing the output; `scratchBytes` already
 * in use by the caller come first.
 */
export function reduceRuns(
  runs: readonly Run[],
  options: ReduceOptions,
  from: Operand = { input: 0 },
  scratchBytes: readonly number[] = [],
): Lowering {
  const dispatches: Dispatch[] = [];
  const scratch = [...scratchBytes];
  let source = from;
  let offset = options.offset;
  for (const [k, whole] of runs.entries()) {
    for (let run = whole;;) {
      const stage = stageOf(run, { ...options, offset });
      const last = k === runs.length - 1 && stage.chunks === 1;
      const target: Operand = last ? "output" : { scratch: scratch.length };
      if (!last) scratch.push(4 * run.outer * stage.chunks * run.inner);
      dispatches.push(stage.dispatch(
        source,
        target,
        last ? options.scale : 1,
        last && options.pitch !== undefined ? options.pitch : run.inner,
      ));
      source = target;
      offset = 0;
      if (stage.chunks === 1) break;
      run = { ...run, reduced: stage.chunks };
    }
  }
  return { dispatches, scratchBytes: scratch };
}

interface Span {
  size: number;
  readonly reduced: boolean;
}

/** Neighbouring dimensions of one kind as one, those of size 1 left out. */
function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (span.size === 1) continue;
    if (last?.reduced === span.reduced) last.size *= span.size;
    else result.push({ ...span });
  }
  return result;
}

/** Reductions of one run each, longest first, that together sum `shape` over `axes`. At least one. */
function runsOf(shape: Shape, axes: readonly number[]): Run[] {
  const runs: Run[] = [];
  let spans = merged(shape.map((size, d) => ({ size, reduced: axes.includes(d) })));
  while (spans.some((span) => span.reduced)) {
    const longest = Math.max(...spans.map((span) => span.reduced ? span.size : 0));
    const at = spans.findIndex((span) => span.reduced && span.size === longest);
    const sizes = spans.map((span) => span.size);
    runs.push({ outer: sizeOf(sizes.slice(0, at)), reduced: longest, inner: sizeOf(sizes.slice(at + 1)) });
    spans = merged(spans.toSpliced(at, 1));
  }
  return runs.length > 0 ? runs : [{ outer: 1, reduced: 1, inner: sizeOf(shape) }];
}

type ReduceAttrs = Attrs & { readonly axes: readonly number[] };

function variants<A extends ReduceAttrs>(maximum: boolean, scaleOf: (attrs: A) => number): Variant<A>[] {
  const lower = (call: Call<A>, grouped: boolean) =>
    reduceRuns(runsOf(call.inputs[0].shape, call.attrs.axes), {
      scale: scaleOf(call.attrs),
      maximum,
      grouped,
      offset: 0,
    });
  const isLong = (call: Call<A>) =>
    runsOf(call.inputs[0].shape, call.attrs.axes).some((run) => run.reduced > GROUP_ROWS);
  return [{
    id: "serial",
    fits: (call, device) => device.software || !isLong(call),
    lower: (call) => lower(call, false),
  }, {
    id: "group",
    fits: isLong,
    lower: (call) => lower(call, true),
  }];
}

export const sumVariants = variants<{ axes: readonly number[]; scale: number }>(false, ({ scale }) => scale);
export const maxVariants = variants<{ axes: readonly number[] }>(true, () => 1);

import type { Feeds } from "../../engine/compile/reference.ts";
import { type Segments } from "../../engine/ops/segment.ts";
import { stepInput } from "../../engine/graph/tensor.ts";

/** Rows, segments and edges that a step has room for. */
export interface ListSizes {
  readonly rows: number;
  readonly segments: number;
  readonly edges: number;
}

/** The step inputs that tell which rows make up which segment. */
export function segmentInputs(name: string, { rows, segments, edges }: ListSizes): Segments {
  return {
    offsets: stepInput(`${name}/offsets`, [segments + 1], "u32"),
    sources: stepInput(`${name}/sources`, [edges], "u32"),
    rowOffsets: stepInput(`${name}/rowOffsets`, [rows + 1], "u32"),
    segments: stepInput(`${name}/segments`, [edges], "u32"),
  };
}

/**
 * Edges by one of their ends, in the order they are given, and where each end's begin.
 *
 * @param edges Row and segment of one edge after the other.
 * @param of Which end of an edge: 0 its row, 1 its segment.
 */
function compress(edges: readonly number[], of: 0 | 1, offsets: Uint32Array, list: Uint32Array): void {
  offsets.fill(0);
  list.fill(0);
  for (let e = of; e < edges.length; e += 2) offsets[edges[e] + 1]++;
  for (let k = 1; k < offsets.length; k++) offsets[k] += offsets[k - 1];
  // Each end's place moves on to the next one's first, where it is put back from.
  for (let e = of; e < edges.length; e += 2) list[offsets[edges[e]]++] = edges[e + 1 - 2 * of];
  offsets.copyWithin(1, 0, offsets.length - 1);
  offsets[0] = 0;
}

/**
 * Values of the inputs of `segmentInputs` for edges from a row to a segment.
 *
 * @param edges Row and segment of one edge after the other.
 * @param into What an earlier call gave for the same sizes, to be overwritten.
 */
export function segmentFeeds(
  name: string,
  edges: readonly number[],
  sizes: ListSizes,
  into?: Feeds,
): Record<string, Uint32Array> {
  const list = (part: string, size: number) => {
    const key = `${name}/${part}`;
    return [key, into?.[key] as Uint32Array | undefined ?? new Uint32Array(size)] as const;
  };
  const offsets = list("offsets", sizes.segments + 1), sources = list("sources", sizes.edges);
  const rowOffsets = list("rowOffsets", sizes.rows + 1), segments = list("segments", sizes.edges);
  compress(edges, 1, offsets[1], sources[1]);
  compress(edges, 0, rowOffsets[1], segments[1]);
  return Object.fromEntries([offsets, sources, rowOffsets, segments]);
}

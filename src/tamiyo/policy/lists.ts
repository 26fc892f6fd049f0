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

/** Edges by the segment they end in, in the order they are given, and where each segment's begin. */
function compressed(
  edges: readonly (readonly [number, number])[],
  of: 0 | 1,
  count: number,
  room: number,
): readonly [Uint32Array, Uint32Array] {
  const offsets = new Uint32Array(count + 1), list = new Uint32Array(room);
  for (const edge of edges) offsets[edge[of] + 1]++;
  for (let k = 0; k < count; k++) offsets[k + 1] += offsets[k];
  const next = offsets.slice();
  for (const edge of edges) list[next[edge[of]]++] = edge[1 - of];
  return [offsets, list];
}

/** Values of the inputs of `segmentInputs` for edges from a row to a segment. */
export function segmentFeeds(
  name: string,
  edges: readonly (readonly [number, number])[],
  sizes: ListSizes,
): Record<string, Uint32Array> {
  const [offsets, sources] = compressed(edges, 1, sizes.segments, sizes.edges);
  const [rowOffsets, segments] = compressed(edges, 0, sizes.rows, sizes.edges);
  return {
    [`${name}/offsets`]: offsets,
    [`${name}/sources`]: sources,
    [`${name}/rowOffsets`]: rowOffsets,
    [`${name}/segments`]: segments,
  };
}

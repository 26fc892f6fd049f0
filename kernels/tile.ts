/** How reductions over the rows of [rows, columns] are cut into workgroups and chunks: from shapes only. */

/** Lanes of a workgroup that reduces in workgroup memory. */
export const GROUP_LANES = 256;
/** Workgroups that fill a large GPU a few times over. */
export const GROUP_TARGET = 512;
/** Invocations that fill a CPU's cores and vector lanes several times over. */
export const SERIAL_TARGET = 256;

const MAX_WIDTH = 64;

/** A workgroup of 256 lanes as `width` columns by `height` rows, and how many such blocks cover the columns. */
export function columnTile(columns: number): { width: number; height: number; blocks: number } {
  const width = Math.min(MAX_WIDTH, 2 ** Math.ceil(Math.log2(columns)));
  return { width, height: GROUP_LANES / width, blocks: Math.ceil(columns / width) };
}

/** Cuts `rows` into about `wanted` chunks of at least `minimum` rows; none is empty. */
export function chunked(rows: number, wanted: number, minimum: number): { chunks: number; chunk: number } {
  const count = Math.max(1, Math.min(wanted, Math.floor(rows / minimum)));
  const chunk = Math.ceil(rows / count);
  return { chunks: Math.ceil(rows / chunk), chunk };
}

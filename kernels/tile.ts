/** How reductions over the rows of [rows, columns] are cut into workgroups and chunks: from shapes only. */

/** Lanes of a workgroup that reduces `elements` in workgroup memory. */
export function lanesFor(elements: number): number {
  return elements > 2048 ? 256 : 64;
}

/** Workgroups that fill a large GPU a few times over. */
export const GROUP_TARGET = 512;
/** Invocations that fill a CPU's cores and vector lanes several times over. */
export const SERIAL_TARGET = 256;

/** How workgroups tile `columns`: `lanes` as `width` columns by `height` rows, `blocks` times side by side. */
export function columnTile(rows: number, columns: number) {
  const lanes = lanesFor(rows * columns);
  const width = Math.min(lanes / 4, 2 ** Math.ceil(Math.log2(columns)));
  return { lanes, width, height: lanes / width, blocks: Math.ceil(columns / width) };
}

/** Cuts `rows` into about `wanted` chunks of at least `minimum` rows; none is empty. */
export function chunked(rows: number, wanted: number, minimum: number): { chunks: number; chunk: number } {
  const count = Math.max(1, Math.min(wanted, Math.floor(rows / minimum)));
  const chunk = Math.ceil(rows / count);
  return { chunks: Math.ceil(rows / chunk), chunk };
}

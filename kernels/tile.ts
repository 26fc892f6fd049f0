/** How reductions over the rows of [rows, columns] are cut into workgroups and chunks: from shapes only. */

/** Lanes of a workgroup that reduces `elements` in workgroup memory. */
export function lanesFor(elements: number): number {
  return elements > 2048 ? 256 : 64;
}

/** Rows that a lane of a grouped kernel loads at a time. */
const BATCH = 8;
/** Workgroups that fill a large GPU a few times over. */
const GROUP_TARGET = 512;
/** Rows a lane of a workgroup may take before chunks, merged by a second dispatch, are faster. */
const LONE_ROWS = 64;
/** Columns of vec4s that make whole memory transactions: of least and of best width. */
const NARROW = 2, BROAD = 8;
/** Invocations that fill a CPU's cores and vector lanes several times over. */
export const SERIAL_TARGET = 256;

/** Workgroups of `lanes` = width · height, `blocks` of them side by side, over chunks of rows. */
export interface GroupPlan {
  readonly blocks: number;
  readonly chunks: number;
  readonly chunk: number;
  readonly constants: Readonly<Record<string, number>>;
}

function groupPlan(rows: number, columns: number, lanes: number, width: number, wanted: number): GroupPlan {
  const height = lanes / width, step = BATCH * height;
  const chunk = wanted === 1 ? rows : step * Math.ceil(rows / wanted / step);
  return {
    blocks: Math.ceil(columns / width),
    chunks: Math.ceil(rows / chunk),
    chunk,
    constants: {
      LANES: lanes,
      WIDTH: width,
      STEPS: Math.log2(height),
      WHOLE: Number(rows % chunk === 0 && chunk % step === 0),
    },
  };
}

/**
 * Workgroups that reduce the rows of `outer` matrices. One chunk of all rows where that leaves a lane few of them, or there
 * are many workgroups anyway; else as many chunks as keep a GPU busy.
 */
export function groupTiles(rows: number, columns: number, outer: number): GroupPlan {
  const lanes = lanesFor(rows * columns);
  const widest = Math.min(32, 2 ** Math.ceil(Math.log2(columns)));
  const alone = (width: number) => groupPlan(rows, columns, lanes, width, 1);
  for (let width = widest; width >= Math.min(NARROW, widest); width /= 2) {
    const enough = outer * Math.ceil(columns / width) >= GROUP_TARGET / 2;
    if (enough || rows * width <= BATCH * lanes) return alone(width);
  }
  const narrow = Math.min(NARROW, widest), broad = Math.min(BROAD, widest);
  if (rows * narrow <= LONE_ROWS * lanes) return alone(narrow);
  const groups = outer * Math.ceil(columns / broad);
  return groupPlan(rows, columns, lanes, broad, Math.ceil(GROUP_TARGET / groups));
}

/** Cuts `rows` into about `wanted` chunks of at least `minimum` rows; none is empty. */
export function chunked(rows: number, wanted: number, minimum: number): { chunks: number; chunk: number } {
  const count = Math.max(1, Math.min(wanted, Math.floor(rows / minimum)));
  const chunk = Math.ceil(rows / count);
  return { chunks: Math.ceil(rows / chunk), chunk };
}

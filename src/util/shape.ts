/** Sizes of a tensor's dimensions, outermost first; activations are NHWC, a scalar is []. */
export type Shape = readonly number[];

/** Number of elements; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

/** Strides for reading `shape` as if it had the (broadcast) shape `target`: repeated dimensions get stride 0. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  const offset = target.length - shape.length;
  return target.map((_, d) => d < offset || shape[d - offset] === 1 ? 0 : strides[d - offset]);
}

/** NumPy's broadcasting rule; null where the shapes do not fit. */
export function broadcastShapes(a: Shape, b: Shape): number[] | null {
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let d = 0; d < rank; d++) {
    const m = a[a.length - rank + d] ?? 1, n = b[b.length - rank + d] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return null;
    result[d] = m === 1 ? n : m;
  }
  return result;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, d) => n === b[d]);
}

/** As errors and tables print it: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

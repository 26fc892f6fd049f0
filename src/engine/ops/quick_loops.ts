/** Loops over rows that the CPU runs often, for acting: the numbers of the references they stand for, to the last bit. */
import type { Shape } from "../../util/shape.ts";
import type { Values } from "../graph/op.ts";

/** Whether an operand is the target itself, or rows that repeat along its first dimensions. */
function repeats(shape: Shape, target: Shape): boolean {
  const first = shape.findIndex((size) => size !== 1), own = first < 0 ? [] : shape.slice(first);
  return own.length > 0 && own.length <= target.length &&
    own.every((size, k) => size === target[target.length - own.length + k]);
}

/** Which operand goes through the whole of the target, the other repeating; null where neither or both do neither. */
export function wholeAndRepeating(shapes: readonly Shape[], target: Shape): readonly [number, number] | null {
  const size = (shape: Shape) => shape.reduce((product, n) => product * n, 1);
  const whole = shapes.findIndex((shape) => size(shape) === size(target));
  return whole >= 0 && repeats(shapes[1 - whole], target) ? [whole, 1 - whole] : null;
}

/** y = a + b, b over and over. */
export function addRepeating(a: Values, b: Values, y: Values): void {
  const count = y.length, period = b.length;
  for (let row = 0; row < count; row += period) {
    for (let k = 0; k < period; k++) y[row + k] = a[row + k] + b[k];
  }
}

/** y = the larger of x and 0. */
export function rectify(x: Values, y: Values): void {
  for (let k = 0; k < y.length; k++) y[k] = Math.max(x[k], 0);
}

/**
 * Row n of y: the sum of the rows `sources[e]` of x for e from `offsets[n]` to before `offsets[n + 1]`, in this order, or
 * their mean.
 *
 * @param width Numbers of a row, a multiple of four.
 */
export function addSegments(
  x: Values,
  offsets: Values,
  sources: Values,
  y: Values,
  width: number,
  mean: boolean,
): void {
  const rows = x.length / width, segments = y.length / width, edges = sources.length;
  for (let n = 0, to = 0; n < segments; n++) {
    const begin = offsets[n], end = Math.min(offsets[n + 1], edges);
    const parts = mean && end > begin ? end - begin : 1;
    for (let f = 0; f < width; f += 4, to += 4) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let e = begin; e < end; e++) {
        const from = Math.min(sources[e], rows - 1) * width + f;
        s0 += x[from];
        s1 += x[from + 1];
        s2 += x[from + 2];
        s3 += x[from + 3];
      }
      y[to] = s0 / parts;
      y[to + 1] = s1 / parts;
      y[to + 2] = s2 / parts;
      y[to + 3] = s3 / parts;
    }
  }
}

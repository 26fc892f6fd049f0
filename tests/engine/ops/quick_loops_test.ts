/** Quicker ways of the CPU: what they take over comes out as the references have it, to the last bit. */
import { assertEquals } from "@std/assert";
import { evaluate, prepareEvaluation } from "../../../src/engine/compile/reference.ts";
import { stepInput } from "../../../src/engine/mod.ts";
import { add, relu } from "../../../src/engine/ops/elementwise.ts";
import { segmentMax, segmentMean, type Segments, segmentSum } from "../../../src/engine/ops/segment.ts";
import { sizeOf } from "../../../src/util/shape.ts";
import { testRandom } from "../../support/values.ts";

const random = testRandom("quick loops");
const draw = (size: number) => Float64Array.from({ length: size }, () => random() - 0.5);
const bits = (arrays: readonly ArrayLike<number>[]) =>
  arrays.map((array) => [...Array.from(array)].map((x) => Object.is(x, -0) ? "-0" : `${x}`));

Deno.test("sums of what broadcasts in any way, and rectified numbers, are those of the reference", () => {
  const shapes = [[2, 3, 4], [4], [1, 1, 4], [3, 4], [2, 1, 4], [2, 3, 1], [1], [], [1, 3, 1]];
  const inputs = shapes.map((shape, k) => stepInput(`x${k}`, shape));
  const outputs = inputs.flatMap((a) => inputs.map((b) => relu(add(a, b))));
  const feeds = Object.fromEntries(shapes.map((shape, k) => [`x${k}`, draw(sizeOf(shape))]));
  feeds.x0.set([NaN, -0, Infinity, -Infinity]);
  feeds.x1.set([0, -0, -Infinity, 1]);
  assertEquals(bits(prepareEvaluation(outputs)(feeds)), bits(evaluate(outputs, feeds)));
});

Deno.test("segments of any length and width are those of the reference; what lies behind the last is not read", () => {
  const segments: Segments = {
    offsets: stepInput("offsets", [5], "u32"),
    sources: stepInput("sources", [8], "u32"),
    rowOffsets: stepInput("rowOffsets", [4], "u32"),
    segments: stepInput("segments", [8], "u32"),
  };
  const lists = {
    offsets: Uint32Array.of(0, 3, 3, 4, 6),
    sources: Uint32Array.of(0, 2, 1, 2, 2, 0, 7, 7),
    rowOffsets: Uint32Array.of(0, 2, 3, 6),
    segments: Uint32Array.of(0, 3, 0, 0, 2, 3, 9, 9),
  };
  for (const width of [1, 4, 6, 8]) {
    const x = stepInput("x", [3, width]);
    const outputs = [segmentSum, segmentMean, segmentMax].map((op) => op(x, segments));
    const feeds = { x: draw(3 * width), ...lists };
    assertEquals(bits(prepareEvaluation(outputs)(feeds)), bits(evaluate(outputs, feeds)));
  }
});

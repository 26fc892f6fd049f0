import { assertThrows } from "@std/assert";
import { resident } from "../../../src/engine/graph/tensor.ts";
import { gather, scatterAdd } from "../../../src/engine/ops/gather.ts";
import { correct, meanCrossEntropy, softmax, softmaxCrossEntropy } from "../../../src/engine/ops/loss.ts";
import { max } from "../../../src/engine/ops/max.ts";
import { averagePool2d, maxPool2d } from "../../../src/engine/ops/pool.ts";
import { concat, pad, slice, transpose } from "../../../src/engine/ops/shape.ts";

const x = resident("x", [2, 3], "f32"), images = resident("images", [1, 4, 6, 2], "f32");
const indices = resident("indices", [2], "u32"), labels = resident("labels", [3], "u32");

type ErrorType = typeof TypeError | typeof RangeError;

const refusals: readonly [name: string, run: () => unknown, type: ErrorType, text: string][] = [
  ["max()", () => max(x, [2]), RangeError, "max: want axes from 0 to 1 for [2, 3], got 2"],
  [
    "slice()",
    () => slice(x, [1, 0], [2, 3]),
    RangeError,
    "slice: want a box within [2, 3], got begin [1, 0] and size [2, 3]; " +
    "each begin + size may be at most the dimension",
  ],
  [
    "pad()",
    () => pad(x, [0, -1], [0, 0]),
    RangeError,
    "pad: want counts of at least 0 for each dimension of [2, 3], got before [0, -1] and after [0, 0]",
  ],
  [
    "concat() of an axis",
    () => concat([x], 2),
    RangeError,
    "concat: want an axis from 0 to 1 for [2, 3], got 2",
  ],
  [
    "concat() of shapes",
    () => concat([x, images], 0),
    TypeError,
    "concat: want tensors that differ in axis 0 only, got f32 [2, 3] and f32 [1, 4, 6, 2]",
  ],
  [
    "transpose()",
    () => transpose(x, [0, 0]),
    RangeError,
    "transpose: want each of the 2 dimensions of [2, 3] once, got [0, 0]",
  ],
  [
    "maxPool2d() of rows",
    () => maxPool2d(x, { kernel: 2 }),
    TypeError,
    "maxPool2d: want f32 images [N, H, W, C], got f32 [2, 3]",
  ],
  [
    "maxPool2d() of small images",
    () => maxPool2d(images, { kernel: 5 }),
    RangeError,
    "maxPool2d: want a kernel of at most 4 for images [1, 4, 6, 2], got 5; pool less often or use larger images",
  ],
  [
    "averagePool2d()",
    () => averagePool2d(images, { kernel: 2, stride: 0 }),
    RangeError,
    "averagePool2d: want kernel and stride of at least 1, got 2 and 0",
  ],
  [
    "softmax()",
    () => softmax(indices),
    TypeError,
    "softmax: want an f32 tensor of rank 1 or more, got u32 [2]",
  ],
  [
    "softmaxCrossEntropy() of labels",
    () => softmaxCrossEntropy(x, labels),
    TypeError,
    "softmaxCrossEntropy: want u32 labels [2], one a row of logits, got u32 [3]",
  ],
  [
    "softmaxCrossEntropy() of smoothing",
    () => softmaxCrossEntropy(x, indices, { smoothing: 1 }),
    RangeError,
    "softmaxCrossEntropy: want smoothing in [0, 1), got 1",
  ],
  [
    "meanCrossEntropy() of smoothing",
    () => meanCrossEntropy(x, indices, { smoothing: -1 }),
    RangeError,
    "meanCrossEntropy: want smoothing in [0, 1), got -1",
  ],
  [
    "meanCrossEntropy() of a cotangent",
    () => meanCrossEntropy(x, indices, { cotangent: x }),
    TypeError,
    "meanCrossEntropy: want an f32 cotangent [], got f32 [2, 3]",
  ],
  ["correct()", () => correct(indices, labels), TypeError, "correct: want f32 logits [N, K], got u32 [2]"],
  ["gather()", () => gather(x, x), TypeError, "gather: want u32 indices [N], got f32 [2, 3]"],
  [
    "scatterAdd()",
    () => scatterAdd(x, labels, 4),
    TypeError,
    "scatterAdd: want f32 rows [3, …], one an index, got f32 [2, 3]",
  ],
];

for (const [name, run, type, text] of refusals) {
  Deno.test(`${name} says what it wants and what it got`, () => {
    assertThrows(run, type, text);
  });
}

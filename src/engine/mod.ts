/**
 * The engine by itself: tensors, ops and their gradients, compiled for WebGPU.
 *
 * @example Train a network of your own on a device
 * ```ts
 * import {
 *   compile, dense, gradients, initialise, learningRate, meanCrossEntropy, momentsOf, openDevice, Optimizer, ParameterStore,
 *   readFloats, replay, resident, tanh, TraceScope,
 * } from "./mod.ts";
 *
 * const gpu = await openDevice(navigator.gpu, "native");
 *
 * // A graph: exclusive or, by a network of one hidden layer, and the gradient of its loss.
 * const x = resident("x", [4, 2], "f32"), labels = resident("labels", [4], "u32");
 * const scope = new TraceScope();
 * const logits = dense(scope, "head", tanh(dense(scope, "hidden", x, 8)), 2);
 * const { loss } = meanCrossEntropy(logits, labels);
 * const grads = gradients(loss, scope.parameters.map(({ tensor }) => tensor));
 *
 * // Memory: parameters with their gradients and moments, and the data.
 * const rule = { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
 * const store = new ParameterStore(gpu, ParameterStore.sizeOf(scope.parameters), momentsOf(rule));
 * store.add(scope.parameters.map((spec) => ({ spec, values: initialise(spec.name, spec.shape, spec.init, 1) })), "all");
 * const data = {
 *   x: gpu.allocator.upload("x", Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1)),
 *   labels: gpu.allocator.upload("labels", Uint32Array.of(0, 1, 1, 0)),
 * };
 *
 * // A program, compiled once and replayed.
 * const optimizer = new Optimizer(gpu, store, rule);
 * const program = await compile(gpu, {
 *   label: "exclusive or",
 *   writes: scope.parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
 *   outputs: { loss },
 *   stepInputs: [optimizer.stepInput],
 *   memory: ({ name }) => name === "x" || name === "labels" ? data[name] : store.view(name),
 * });
 * const update = await optimizer.bind(program.step);
 * for (let updates = 1; updates <= 60; updates++) {
 *   const rate = learningRate(updates / 60, { peak: 0.1, warmup: 0.1, final: 0.1 });
 *   const row = { learningRate: rate, weightDecay: 0, clip: 0, updates };
 *   program.step.write(optimizer.stepValues({ all: row }));
 *   replay(gpu, program.dispatches, update);
 * }
 * const [final] = await readFloats(gpu, program.outputs.loss, 1);
 * gpu.destroy();
 * if (!(final < 0.05)) throw new Error(`loss ${final}`);
 * ```
 *
 * @example Messages along the edges of a graph 0 → 1 → 2, both ways: a policy's layers, say
 * ```ts
 * import { prepareEvaluation, segmentMax, segmentMean, type Segments, segmentSum, stepInput } from "./mod.ts";
 *
 * const list = (name: string, size: number) => stepInput(name, [size], "u32");
 * // Segment n, here a node, has the rows sources[offsets[n]] … before offsets[n + 1]; the other two are the way back.
 * const edges: Segments = {
 *   offsets: list("offsets", 4),
 *   sources: list("sources", 2),
 *   rowOffsets: list("rowOffsets", 4),
 *   segments: list("segments", 2),
 * };
 * const h = stepInput("h", [3, 2]);
 * const run = prepareEvaluation([segmentSum(h, edges), segmentMean(h, edges), segmentMax(h, edges)]);
 * const lists = { offsets: [0, 0, 1, 2], sources: [0, 1], rowOffsets: [0, 1, 2, 2], segments: [1, 2] };
 * const [sums] = run({ h: [1, 2, 3, 4, 5, 6], ...lists });
 * if (sums.join() !== "0,0,1,2,3,4") throw new Error(sums.join());
 * ```
 *
 * @example Any graph also runs on the CPU, in float64, without a device
 * ```ts
 * import {
 *   add, averagePool2d, concat, conv2d, correct, div, dropout, evaluate, exp, gather, gelu, globalAveragePool,
 *   gradients, leakyRelu, log, matmul, max, maximum, maxPool2d, mul, neg, pad, parameter, relu, reshape, sigmoid, silu,
 *   slice, softmax, sqrt, square, stepInput, sub, sum, transpose,
 * } from "./mod.ts";
 *
 * const images = stepInput("images", [2, 4, 4, 3]), labels = stepInput("labels", [2], "u32");
 * const key = stepInput("key", [2], "u32");
 * const filter = parameter("filter", [3, 3, 3, 4]), weight = parameter("weight", [4, 2]);
 *
 * const h = relu(conv2d(images, filter, { padding: 1 }));
 * const pooled = concat([maxPool2d(h, { kernel: 2, stride: 2 }), averagePool2d(h, { kernel: 2, stride: 2 })], 0);
 * const features = globalAveragePool(slice(pad(pooled, [0, 1, 1, 0], [0, 0, 0, 0]), [0, 1, 1, 0], [2, 2, 2, 4]));
 * const logits = matmul(dropout(features, key, { rate: 0.5 }), weight);
 * const hits = sum(correct(logits, labels));
 * const chances = softmax(logits);
 * const loss = neg(sum(log(maximum(chances, 1e-6))));
 * const [byFilter] = gradients(loss, [filter]);
 *
 * // Curves and the like, of the first row's largest chance.
 * const top = max(gather(transpose(chances, [1, 0]), stepInput("row", [1], "u32")));
 * const curves = [gelu, silu, sigmoid, leakyRelu, exp, sqrt, square].map((f) => f(top));
 * const total = curves.reduce((a, b) => sub(add(a, b), div(mul(b, top), 2)));
 *
 * const feeds = {
 *   images: Array.from({ length: 96 }, (_, i) => Math.sin(i)),
 *   labels: [0, 1],
 *   key: [1, 0],
 *   row: [0],
 *   filter: Array.from({ length: 108 }, (_, i) => Math.cos(i)),
 *   weight: [1, -1, 1, 1, -1, 1, 1, 1],
 * };
 * const [hit, gradient, number] = evaluate([hits, byFilter, reshape(total, [1])], feeds);
 * if (!(hit[0] >= 0 && hit[0] <= 2) || gradient.length !== 108 || !Number.isFinite(number[0])) throw new Error();
 * ```
 */
export { compile, type Program, type ProgramSpec } from "./compile/program.ts";
export { evaluate, type Feeds, prepareEvaluation } from "./compile/reference.ts";
export { type BackendName, type Gpu, openDevice } from "./gpu/device.ts";
export { readFloats } from "./gpu/readback.ts";
export { replay } from "./gpu/recorder.ts";
export { gradients } from "./graph/gradients.ts";
export { parameter, resident, stepInput, type Tensor } from "./graph/tensor.ts";
export { readSafetensors, type SafeTensors, writeSafetensors } from "./io/safetensors.ts";
export { cnn, mlp } from "./nn/hosts.ts";
export { type Init, initialise } from "./nn/init.ts";
export { batchNorm, conv, dense, groupNorm } from "./nn/layers.ts";
export { resnet } from "./nn/resnet.ts";
export { type Model, type ParameterSpec, type Scope, TraceScope } from "./nn/scope.ts";
export {
  add,
  div,
  exp,
  gelu,
  leakyRelu,
  log,
  maximum,
  mul,
  neg,
  relu,
  sigmoid,
  silu,
  sqrt,
  square,
  sub,
  tanh,
} from "./ops/elementwise.ts";
export { conv2d } from "./ops/conv2d.ts";
export { gather } from "./ops/gather.ts";
export { type BatchScores, correct, meanCrossEntropy, softmax, softmaxCrossEntropy } from "./ops/loss.ts";
export { matmul } from "./ops/matmul.ts";
export { max } from "./ops/max.ts";
export { averagePool2d, globalAveragePool, maxPool2d } from "./ops/pool.ts";
export { dropout } from "./ops/random.ts";
export { mean, sum } from "./ops/reduce.ts";
export { segmentMax, segmentMean, type Segments, segmentSum } from "./ops/segment.ts";
export { concat, pad, reshape, slice, transpose } from "./ops/shape.ts";
export { momentsOf, Optimizer } from "./optim/optimizer.ts";
export { ParameterStore } from "./optim/parameter_store.ts";
export { learningRate } from "./optim/schedule.ts";

import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { serve } from "./serve.ts";
import { BATCH, CLASSES, data, LEARNING_RATE, matrices, MATRIX, permute, PRODUCTS } from "./spec.ts";

/** What its backend keeps to itself: work is collected and sent some dispatches at a time. */
interface Queue {
  readonly commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Images by [N, H, W, C] and convolutions by [3, 3, in, out], as this engine wants them. */
function parameters(): Record<string, tf.Variable> {
  const result: Record<string, tf.Variable> = {};
  for (const { name, shape, values } of data().weights) {
    const tensor = name === "head"
      ? tf.tensor(permute(values, [64, 8, 8, CLASSES], [1, 2, 0, 3]), [...shape])
      : tf.tensor(permute(values, shape, [2, 3, 1, 0]), [3, 3, shape[1], shape[0]]);
    result[name] = tf.variable(tensor);
    result[`${name} bias`] = tf.variable(tf.zeros([name === "head" ? CLASSES : shape[0]]));
  }
  return result;
}

await serve(async () => {
  (globalThis as { location?: unknown }).location ??= { search: "" }; // it reads flags there
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!await tf.setBackend("webgpu")) throw new Error("tfjs: no webgpu backend");
  await tf.ready();
  const backend = tf.backend() as WebGPUBackend;
  const queue = backend as unknown as Queue;
  const { images, labels } = data();
  const p = parameters();
  const x = tf.tensor4d(permute(images, [BATCH, 3, 32, 32], [0, 2, 3, 1]), [BATCH, 32, 32, 3]);
  const targets = tf.cast(tf.oneHot(tf.tensor1d([...labels], "int32"), CLASSES), "float32");
  const convolve = (x: tf.Tensor4D, name: string) =>
    tf.fused.conv2d({
      x,
      filter: p[name] as tf.Tensor4D,
      bias: p[`${name} bias`],
      strides: 1,
      pad: "same",
      activation: "relu",
    });
  const pool = (x: tf.Tensor4D) => tf.maxPool(x, 2, 2, "valid");
  const loss = (): tf.Scalar => {
    const features = pool(convolve(pool(convolve(convolve(x, "conv1"), "conv2")), "conv3"));
    const logits = tf.add(
      tf.matMul(tf.reshape(features, [BATCH, -1]), p.head as tf.Tensor2D),
      p["head bias"],
    );
    return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), targets), -1)));
  };
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const [a, b] = matrices().map((values) => tf.tensor2d(values, [MATRIX, MATRIX]));
  const settled = async () => {
    if (queue.commandEncoder) {
      queue.endComputePassEncoder();
      queue.submitQueue();
    }
    await backend.device.queue.onSubmittedWorkDone();
  };
  return {
    name: "tfjs",
    adapter: "",
    async step() {
      const value = optimizer.minimize(loss, true)!;
      const [number] = await value.data();
      value.dispose();
      await settled();
      return number;
    },
    async products() {
      const results = Array.from({ length: PRODUCTS }, () => tf.matMul(a, b));
      await settled();
      for (const result of results) result.dispose();
    },
  };
});

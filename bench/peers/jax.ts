import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import { serve } from "./serve.ts";
import { BATCH, CLASSES, data, LEARNING_RATE, matrices, MATRIX, PRODUCTS } from "./spec.ts";

type Parameters = Record<string, np.Array>;

const array = (values: Float32Array<ArrayBuffer>, shape: readonly number[]) =>
  np.array(values).reshape([...shape]);

// Operations consume their operands; `.ref` keeps one for another use.
function convolve(x: np.Array, p: Parameters, name: string): np.Array {
  return nn.relu(lax.conv(x, p[name], [1, 1], "SAME").add(p[`${name} bias`]));
}

const pool = (x: np.Array) => lax.reduceWindow(x, np.max, [2, 2], [2, 2]);

function lossOf(p: Parameters, images: np.Array, labels: np.Array): np.Array {
  const h = pool(convolve(convolve(images, p, "conv1"), p, "conv2"));
  const features = pool(convolve(h, p, "conv3")).reshape([BATCH, -1]);
  const logits = np.dot(features, p.head).add(p["head bias"]);
  return nn.logSoftmax(logits).mul(nn.oneHot(labels, CLASSES)).sum().mul(-1 / BATCH);
}

function update(p: Parameters, images: np.Array, labels: np.Array): [np.Array, Parameters] {
  const [loss, gradient] = valueAndGrad(lossOf)(tree.ref(p), images, labels) as [np.Array, Parameters];
  const next = Object.keys(p).map((name) => [name, p[name].sub(gradient[name].mul(LEARNING_RATE))]);
  return [loss, Object.fromEntries(next)];
}

await serve(async () => {
  const devices = await init("webgpu");
  if (!devices.includes("webgpu")) throw new Error(`jax-js: want a webgpu device, got ${devices}`);
  defaultDevice("webgpu");
  const { images, labels, weights } = data();
  let parameters: Parameters = {};
  for (const { name, shape, values } of weights) {
    parameters[name] = array(values, shape);
    const out = name === "head" ? [CLASSES] : [shape[0], 1, 1];
    parameters[`${name} bias`] = array(new Float32Array(out[0]), out);
  }
  const x = array(images, [BATCH, 3, 32, 32]), y = np.array(Int32Array.from(labels));
  const compiled = jit(update);
  const [a, b] = matrices().map((values) => array(values, [MATRIX, MATRIX]));
  return {
    name: "jax-js",
    adapter: "",
    async step() {
      const [loss, next] = compiled(parameters, x.ref, y.ref);
      parameters = next;
      await blockUntilReady(parameters);
      return await loss.jsAsync() as number;
    },
    async products() {
      const results = Array.from({ length: PRODUCTS }, () => np.matmul(a.ref, b.ref));
      await blockUntilReady(results);
      for (const result of results) result.dispose();
    },
  };
});

// An op, a blueprint and a data set from outside: deno run -A examples/own_parts.ts
import {
  apply,
  type Blueprint,
  type Dataset,
  dense,
  fitOf,
  grow,
  type Model,
  mul,
  type Op,
  type Tensor,
} from "esper";
import { openGpu } from "esper/gpu";

/** sin(x): a formula, which the compiler joins with its neighbours, with its reference on the CPU and its gradient. */
const sin: Op = {
  name: "sin",
  type: ([x]) => x,
  reference: ([x]) => Float64Array.from(x, Math.sin),
  gradient: (dy, { inputs: [x] }) => [mul(dy, apply(cos, [x], {}))],
  lower: { wgsl: "sin($0)" },
  flops: ({ output }) => output.shape.reduce((a, b) => a * b, 1),
};
const cos: Op = {
  ...sin,
  name: "cos",
  reference: ([x]) => Float64Array.from(x, Math.cos),
  gradient: (dy, { inputs: [x] }) => [mul(dy, mul(apply(sin, [x], {}), -1))],
  lower: { wgsl: "cos($0)" },
};

/** Points of a checkerboard of four by four fields. */
function checkerboard(count: number): Dataset {
  let state = 1;
  const random = () => (state = state * 48271 % 0x7fffffff) / 0x7fffffff;
  const draw = (count: number) => {
    const data = Float32Array.from({ length: 2 * count }, () => 4 * random());
    const field = (k: number) => Math.floor(data[2 * k]) + Math.floor(data[2 * k + 1]);
    return { count, data, labels: Uint8Array.from({ length: count }, (_, k) => field(k) % 2) };
  };
  return {
    ...{
      name: "checkerboard",
      sha256: "0".repeat(64),
      kind: "points",
      shape: [2],
      classes: ["black", "white"],
    },
    ...{ train: draw(count), test: draw(500) },
  };
}

/** A bilinear branch: what two linear maps of h say, multiplied. */
const bilinear: Blueprint = {
  name: "bilinear",
  version: 1,
  about: "product of two dense layers",
  nodes: [
    { name: "left", op: "dense", inputs: ["h"], out: "2C" },
    { name: "right", op: "dense", inputs: ["h"], out: "2C" },
    { name: "product", op: "mul", inputs: ["left", "right"] },
    { name: "down", op: "dense", inputs: ["product"], out: "C" },
  ],
};
const cost = fitOf(bilinear, [16]);
console.log(cost.fits ? `bilinear at [16]: ${cost.parameters} parameters` : cost.reason);

const wave = (x: Tensor) => apply(sin, [x], {});
const waves: Model = {
  name: "waves",
  input: [2],
  classes: 2,
  forward(scope, x) {
    const first = scope.tap("first", wave(dense(scope, "first", x, 16)));
    return dense(scope, "head", first, 2);
  },
};

const gpu = await openGpu("auto");
const { seeds, validation } = await grow({
  gpu,
  data: checkerboard(4000),
  model: waves,
  blueprints: [bilinear],
  settings: {
    train: {
      ...{ batch: 64, budgetGflop: 1, maxSteps: 900, optimizer: { kind: "adamw" } },
      learningRate: { peak: 0.02, warmup: 0.05 },
    },
    growth: { blueprints: ["bilinear"], paramsBudget: 30, flopsBudget: 30, alpha: { ticks: 2 } },
    loop: { tickSteps: 25 },
    controller: {
      kind: "fixed",
      schedule: [
        { tick: 3, action: "germinate", slot: "first", blueprint: "bilinear" },
        { tick: 8, action: "advance", slot: "first" },
        { tick: 14, action: "fossilize", slot: "first" },
      ],
    },
    split: { control: 500, validation: 500 },
  },
});
gpu.destroy();
for (const { seed, blueprint, stage, reason } of seeds) {
  console.log(`${seed} ${blueprint}: ${stage}, ${reason}`);
}
console.log(`${(100 * validation.accuracy).toFixed(1)} % of validation points right`);

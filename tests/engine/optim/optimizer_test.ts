import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { UpdateRule } from "../../../kernels/optim.ts";
import { StepBuffer } from "../../../src/engine/compile/step_buffer.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { type GroupRow, momentsOf, Optimizer } from "../../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../../src/engine/optim/parameter_store.ts";
import { sizeOf } from "../../../src/util/shape.ts";
import { assertClose } from "../../support/close.ts";
import { onEachDevice } from "../../support/devices.ts";
import { bitsOf, drawn, numbers } from "../../support/store.ts";

const RULES: readonly UpdateRule[] = [
  { kind: "sgd", momentum: 0.9, nesterov: true },
  { kind: "sgd", momentum: 0.9, nesterov: false },
  { kind: "sgd", momentum: 0, nesterov: false },
  { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
];

/** Parameters by group; those named "bias" do not decay. */
const SHAPES = {
  host: { "host/weight": [3, 3, 5, 7], "host/bias": [7] },
  "seed/1": { "seed/weight": [9, 9], "seed/bias": [65] },
  frozen: { "frozen/weight": [100], "frozen/bias": [4] },
} as const;

const PARAMETERS = Object.entries(SHAPES).flatMap(([group, shapes]) =>
  Object.entries(shapes).map(([name, shape]) => ({ group, name, shape: shape as readonly number[] }))
);
const STEPS = 5;

/** Rows of step t (from 1). The seed joins late, rests at step 4 and may be clipped; the frozen group has none. */
function rowsAt(t: number, clip: number): Record<string, GroupRow> {
  const host = { learningRate: 0.1 / t, weightDecay: 0.05, clip: 0, updates: t };
  const seed = { learningRate: 0.03, weightDecay: 0.2, clip, updates: t === 5 ? 3 : t - 1 };
  return t === 1 || t === 4 ? { host } : { host, "seed/1": seed };
}

const gradientOf = (name: string, t: number, size: number) => numbers(`${name} gradient ${t}`, size, 0.3);

/** The update rules in float64, from the formulas of `torch.optim` and `torch.nn.utils.clip_grad_norm_`. */
class PlainOptimizer {
  readonly values = new Map<string, Float64Array>();
  readonly norms = new Map<string, number>();
  readonly #moments = new Map<string, [Float64Array, Float64Array]>();
  readonly #rule: UpdateRule;
  readonly #clip: number;

  constructor(rule: UpdateRule, clip: number) {
    this.#rule = rule;
    this.#clip = clip;
    for (const { name, shape } of PARAMETERS) {
      const size = sizeOf(shape);
      this.values.set(name, Float64Array.from(numbers(name, size)));
      this.#moments.set(name, [new Float64Array(size), new Float64Array(size)]);
    }
  }

  step(t: number): void {
    for (const group of Object.keys(SHAPES)) {
      const members = PARAMETERS.filter((p) => p.group === group);
      const gradients = members.map(({ name, shape }) => gradientOf(name, t, sizeOf(shape)));
      const norm = Math.sqrt(gradients.reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
      this.norms.set(group, norm);
      const row = rowsAt(t, this.#clip)[group];
      if (!row) continue;
      const scale = row.clip > 0 ? Math.min(1, row.clip / (norm + 1e-6)) : 1;
      for (const [k, { name }] of members.entries()) {
        const decay = name.endsWith("bias") ? 0 : row.weightDecay;
        for (const i of gradients[k].keys()) this.#update(name, i, scale * gradients[k][i], decay, row);
      }
    }
  }

  #update(name: string, i: number, gradient: number, decay: number, row: GroupRow): void {
    const rule = this.#rule, w = this.values.get(name)!;
    const [first, second] = this.#moments.get(name)!;
    if (rule.kind === "sgd") {
      const g = gradient + decay * w[i];
      first[i] = rule.momentum * first[i] + g;
      w[i] -= row.learningRate * (rule.nesterov ? g + rule.momentum * first[i] : first[i]);
      return;
    }
    w[i] *= 1 - row.learningRate * decay;
    first[i] = rule.beta1 * first[i] + (1 - rule.beta1) * gradient;
    second[i] = rule.beta2 * second[i] + (1 - rule.beta2) * gradient * gradient;
    const m = first[i] / (1 - rule.beta1 ** row.updates), v = second[i] / (1 - rule.beta2 ** row.updates);
    w[i] -= row.learningRate * m / (Math.sqrt(v) + rule.epsilon);
  }
}

function newStore(gpu: Gpu, rule: UpdateRule): ParameterStore {
  // Some room more than is used: free blocks in the middle and at the end.
  const store = new ParameterStore(gpu, 64 * 20, momentsOf(rule));
  store.add([drawn("gone", [64])], "gone");
  for (const { group, name, shape } of PARAMETERS) {
    store.add([drawn(name, shape, !name.endsWith("bias"))], group);
  }
  store.remove(["gone"]);
  return store;
}

function writeGradients(gpu: Gpu, store: ParameterStore, t: number): void {
  for (const { name, shape } of PARAMETERS) {
    const { buffer, offset } = store.gradientView(name);
    gpu.device.queue.writeBuffer(buffer, offset, gradientOf(name, t, sizeOf(shape)));
  }
}

for (const rule of RULES) {
  const label = rule.kind === "sgd" ? `sgd momentum ${rule.momentum} nesterov ${rule.nesterov}` : rule.kind;

  /** Limit to the seed's norm (0: none), with the kernels for a CPU or those for a GPU. */
  const check = async (gpu: Gpu, clip: number): Promise<void> => {
    const store = newStore(gpu, rule);
    const optimizer = new Optimizer(gpu, store, rule, { clip: clip > 0, norms: true });
    const step = new StepBuffer(gpu, "update", [optimizer.stepInput]);
    const update = await optimizer.bind(step);
    assertEquals(update.length, clip > 0 ? 3 : 2, "dispatches");
    const plain = new PlainOptimizer(rule, clip);
    const untouched = await bitsOf(store);
    for (let t = 1; t <= STEPS; t++) {
      const before = await bitsOf(store);
      writeGradients(gpu, store, t);
      step.write(optimizer.stepValues(rowsAt(t, clip)));
      replay(gpu, update);
      plain.step(t);
      const norms = await readFloats(gpu, optimizer.norms, store.groups.length);
      for (const [index, group] of store.groups.entries()) {
        // Σ g² of at most 6 blocks: an error of at most sqrt(64 · 6) roundings of a sum of positive terms.
        const want = group === null ? 0 : plain.norms.get(group)!;
        assertAlmostEquals(norms[index], want, 20 * 2 ** -24 * want, `norm of ${group} at step ${t}`);
      }
      const after = await bitsOf(store);
      for (const { group, name } of PARAMETERS) {
        if (!rowsAt(t, clip)[group]) {
          assertEquals(after[name], before[name], `${name} at step ${t} has no row`);
        }
      }
    }
    for (const { name } of PARAMETERS) {
      // About six roundings of the value a step, each half an epsilon of the largest.
      assertClose(await store.get(name), plain.values.get(name)!, { slack: 4, terms: STEPS }, name);
    }
    const after = await bitsOf(store);
    for (const name of Object.keys(SHAPES.frozen)) assertEquals(after[name], untouched[name]);
    for (const owned of [step, optimizer, store]) owned.destroy();
  };

  onEachDevice(`Optimizer (${label}) takes the steps of a plain float64 implementation`, async (gpu) => {
    for (const clip of [0, 0.5]) {
      for (const software of [true, false]) {
        await check({ ...gpu, traits: { ...gpu.traits, software } }, clip);
      }
    }
  });
}

onEachDevice(
  "Optimizer is one dispatch where nobody asks for norms, and its numbers are the same",
  async (gpu) => {
    const after: unknown[] = [];
    for (const norms of [false, true]) {
      const store = newStore(gpu, RULES[0]);
      const optimizer = new Optimizer(gpu, store, RULES[0], { norms });
      const step = new StepBuffer(gpu, "update", [optimizer.stepInput]);
      const update = await optimizer.bind(step);
      if (!norms) assertEquals(update.map(({ name }) => name), ["optim/sgd"]);
      writeGradients(gpu, store, 1);
      step.write(optimizer.stepValues(rowsAt(1, 0)));
      replay(gpu, update);
      after.push(await bitsOf(store));
      for (const owned of [step, optimizer, store]) owned.destroy();
    }
    assertEquals(after[0], after[1]);
  },
);

onEachDevice("Optimizer refuses to clip where it was not made for that", (gpu) => {
  const store = newStore(gpu, RULES[0]);
  const optimizer = new Optimizer(gpu, store, RULES[0]);
  assertThrows(
    () => optimizer.stepValues({ host: { learningRate: 1, weightDecay: 0, clip: 2, updates: 1 } }),
    RangeError,
    'optimizer: want clip 0 for group "host", got 2; make the optimizer with { clip: true }',
  );
  for (const owned of [optimizer, store]) owned.destroy();
});

onEachDevice("Optimizer leaves free room and padding alone", async (gpu) => {
  const rule = RULES[3];
  const store = newStore(gpu, rule);
  const [values, ...moments] = await store.read();
  const optimizer = new Optimizer(gpu, store, rule, { clip: true, norms: true });
  const step = new StepBuffer(gpu, "update", [optimizer.stepInput]);
  const row = { learningRate: 1, weightDecay: 1, clip: 1, updates: 1 };
  writeGradients(gpu, store, 1);
  step.write(optimizer.stepValues({ host: row, "seed/1": row, frozen: row, unknown: row }));
  replay(gpu, await optimizer.bind(step));
  const after = await store.read();
  const used = new Set<number>();
  for (const { block, shape } of store.layout.places) {
    for (let i = 0; i < sizeOf(shape); i++) used.add(block * 64 + i);
  }
  for (const [k, before] of [values, ...moments].entries()) {
    for (const i of before.keys()) {
      if (!used.has(i)) assertEquals(after[k][i], before[i], `buffer ${k}, number ${i}`);
    }
  }
  for (const owned of [step, optimizer, store]) owned.destroy();
});

onEachDevice("Optimizer measures the norm that NaN and Inf gradients have", async (gpu) => {
  const store = newStore(gpu, RULES[0]);
  const optimizer = new Optimizer(gpu, store, RULES[0], { norms: true });
  const step = new StepBuffer(gpu, "update", [optimizer.stepInput]);
  writeGradients(gpu, store, 1);
  const poison = (name: string, value: number) => {
    const { buffer, offset } = store.gradientView(name);
    gpu.device.queue.writeBuffer(buffer, offset + 8, new Float32Array([value]));
  };
  poison("seed/bias", NaN);
  poison("frozen/weight", Infinity);
  step.write(optimizer.stepValues({}));
  replay(gpu, await optimizer.bind(step));
  const norms = await readFloats(gpu, optimizer.norms, store.groups.length);
  const normOf = (group: string) => norms[store.groups.indexOf(group)];
  assertEquals([Number.isFinite(normOf("host")), normOf("seed/1"), normOf("frozen")], [true, NaN, Infinity]);
  for (const owned of [step, optimizer, store]) owned.destroy();
});

onEachDevice(
  "groups that are limited together are limited by one norm, bit for bit however they are divided",
  async (gpu) => {
    const divisions: readonly ((name: string) => string)[] = [
      () => "host",
      (name) => name.startsWith("frozen") ? "host/b" : "host/a",
      (name) => `host/${name}`,
    ];
    for (const rule of [RULES[0], RULES[3]]) {
      const ends: unknown[] = [];
      const scales: number[] = [];
      for (const groupOf of divisions) {
        const store = new ParameterStore(gpu, 64 * 20, momentsOf(rule));
        for (const { name, shape } of PARAMETERS) {
          store.add([drawn(name, shape)], name.startsWith("seed") ? "seed/1" : groupOf(name));
        }
        const optimizer = new Optimizer(gpu, store, rule, { clip: true, norms: true });
        const step = new StepBuffer(gpu, "update", [optimizer.stepInput]);
        const update = await optimizer.bind(step);
        for (let t = 1; t <= 3; t++) {
          writeGradients(gpu, store, t);
          const row = { learningRate: 0.1, weightDecay: 0.01, clip: 0.25, updates: t };
          const rows = store.groups.flatMap((group) =>
            group ? [[group, group.startsWith("host") ? { ...row, together: "host" } : row] as const] : []
          );
          step.write(optimizer.stepValues(Object.fromEntries(rows)));
          replay(gpu, update);
          if (rule.kind === "adamw" || t > 1) continue;
          // The first step of momentum: what is taken from a weight is 1.9 · rate · scale · gradient + decay.
          const host = PARAMETERS.filter(({ name }) => !name.startsWith("seed"));
          const squares = host.flatMap(({ name, shape }) =>
            [...gradientOf(name, t, sizeOf(shape))].map((g) => g * g)
          );
          const want = 0.25 / Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
          const before = numbers("host/weight", 315)[0], gradient = gradientOf("host/weight", t, 315)[0];
          const moved = (before - (await store.get("host/weight"))[0]) / 0.1 / 1.9;
          scales.push((moved - 0.01 * before) / gradient / want);
        }
        ends.push(await bitsOf(store));
        for (const owned of [step, optimizer, store]) owned.destroy();
      }
      assertEquals(ends[1], ends[0]);
      assertEquals(ends[2], ends[0]);
      for (const scale of scales) assertAlmostEquals(scale, 1, 1e-4);
    }
  },
);

import { assertEquals } from "@std/assert";
import type { UpdateRule } from "../../../kernels/optim.ts";
import { StepBuffer } from "../../../src/engine/compile/step_buffer.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import {
  momentsOf,
  NORM_COLUMNS,
  Optimizer,
  type OptimizerOptions,
} from "../../../src/engine/optim/optimizer.ts";
import { LOSS_SCALE_NUMBERS } from "../../../src/engine/optim/loss_scale.ts";
import { MAX_GROUPS, ParameterStore } from "../../../src/engine/optim/parameter_store.ts";
import { StoreSnapshot } from "../../../src/engine/optim/store_snapshot.ts";
import { onEachDevice } from "../../support/devices.ts";
import { drawn, numbers } from "../../support/store.ts";

const RULES: readonly UpdateRule[] = [
  { kind: "sgd", momentum: 0.9, nesterov: true },
  { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
];
const SHAPES = { "host/weight": [9, 17], "host/bias": [3], "seed/weight": [65] } as const;
const NAMES = Object.keys(SHAPES) as (keyof typeof SHAPES)[];
const groupOf = (name: string) => name.split("/")[0];

/** An optimiser of a host and of a seed that trains apart from it, and steps with given gradients. */
async function training(gpu: Gpu, rule: UpdateRule, options: OptimizerOptions) {
  const store = new ParameterStore(gpu, 64 * 8 + LOSS_SCALE_NUMBERS, momentsOf(rule));
  const optimizer = new Optimizer(gpu, store, rule, { norms: true, ...options });
  // Sums are taken in order of blocks: without a scale, something else stands in its place.
  if (!options.lossScale) store.add([drawn("loss scale", [LOSS_SCALE_NUMBERS])], "loss scale");
  for (const name of NAMES) store.add([drawn(name, SHAPES[name])], groupOf(name));
  const step = new StepBuffer(gpu, "update", [optimizer.stepInput]);
  const update = await optimizer.bind(step);
  let updates = 0;
  return {
    store,
    optimizer,
    update,
    /** One step with gradients multiplied by `scales` of host and seed; the last number of `poisoned` is infinite. */
    take(scales: readonly [number, number], { poisoned = "", resting = "", clip = 0 } = {}): void {
      updates++;
      for (const name of NAMES) {
        const { buffer, offset } = store.gradientView(name);
        const scale = scales[Number(groupOf(name) === "seed")];
        const gradient = numbers(`${name} ${updates}`, SHAPES[name].reduce<number>((a, b) => a * b, 1), 0.3);
        const scaled = gradient.map((value) => scale * value);
        if (name === poisoned) scaled[scaled.length - 1] = Infinity;
        gpu.device.queue.writeBuffer(buffer, offset, scaled);
      }
      const row = { learningRate: 0.1, weightDecay: 0.01, clip, updates };
      const rows = { host: row, seed: { ...row, apart: true } };
      step.write(
        optimizer.stepValues(Object.fromEntries(Object.entries(rows).filter(([k]) => k !== resting))),
      );
      replay(gpu, update);
    },
    async values() {
      const [values, ...moments] = await store.read();
      return Object.fromEntries(
        store.layout.places.filter(({ name }) => name !== "loss scale").map((place) => [
          place.name,
          [values, ...moments].map((all) => [...all.slice(place.block * 64, (place.block + 1) * 64)]),
        ]),
      );
    },
    /** [scale, good steps, skipped steps] of the host and of the seed. */
    async scales() {
      const all = await store.get("loss scale");
      return [[...all.slice(0, 3)], [...all.slice(64, 67)]];
    },
    destroy: () => [step, optimizer, store].forEach((owned) => owned.destroy()),
  };
}

const lossScale = { initial: 1024, growthSteps: 3 };

for (const rule of RULES) {
  onEachDevice(`Optimizer (${rule.kind}) takes the same steps with a loss scale as without`, async (gpu) => {
    const plain = await training(gpu, rule, { clip: true });
    const scaled = await training(gpu, rule, { clip: true, lossScale });
    for (const clip of [0, 0.5]) {
      plain.take([1, 1], { clip });
      scaled.take([1024, 1024], { clip });
      const want = await readFloats(gpu, plain.optimizer.norms, MAX_GROUPS);
      const got = await readFloats(gpu, scaled.optimizer.norms, MAX_GROUPS);
      assertEquals(got, want, "a power of two changes no bit of a norm");
    }
    const want = await plain.values(), got = await scaled.values();
    for (const name of NAMES) assertEquals(got[name], want[name], name);
    plain.destroy();
    scaled.destroy();
  });

  onEachDevice(
    `Optimizer (${rule.kind}) skips the whole update where a gradient is not finite`,
    async (gpu) => {
      const run = await training(gpu, rule, { lossScale });
      run.take([1024, 1024]);
      const before = await run.values();
      run.take([1024, 1024], { poisoned: "host/bias" });
      const after = await run.values();
      assertEquals(after["host/weight"], before["host/weight"], "the host's other parameters and moments");
      assertEquals(after["host/bias"], before["host/bias"]);
      assertEquals(after["seed/weight"] === before["seed/weight"], false, "what trains apart goes on");
      assertEquals(await run.scales(), [[512, 0, 1], [1024, 2, 0]]);
      const reading = await readFloats(gpu, run.optimizer.norms, NORM_COLUMNS);
      assertEquals(
        [...reading.slice(MAX_GROUPS)],
        [1024, 1024, 1],
        "scales of this step and steps skipped so far",
      );
      run.destroy();
    },
  );
}

onEachDevice(
  "Optimizer's loss scale halves, and doubles after good steps; each of the two on its own",
  async (gpu) => {
    const run = await training(gpu, RULES[0], { lossScale });
    assertEquals(run.update.length, 3, "dispatches");
    run.take([1024, 1024], { poisoned: "seed/weight" });
    assertEquals(await run.scales(), [[1024, 1, 0], [512, 0, 1]]);
    run.take([1024, 512]);
    run.take([1024, 512], { resting: "seed", poisoned: "seed/weight" });
    assertEquals(await run.scales(), [[2048, 0, 0], [512, 1, 1]], "what rests is not judged");
    for (let k = 0; k < 30; k++) run.take([1, 1], { poisoned: "host/weight" });
    const [host, seed] = await run.scales();
    assertEquals(host, [1, 0, 30], "never below 1");
    assertEquals(seed, [512 * 2 ** 10, 1, 1]);
    run.destroy();
  },
);

onEachDevice("Optimizer's loss scale is saved and rolled back with the parameters", async (gpu) => {
  const run = await training(gpu, RULES[0], { lossScale });
  run.take([1024, 1024], { poisoned: "host/weight" });
  const snapshot = new StoreSnapshot(gpu, run.store);
  snapshot.take();
  const saved = { layout: run.store.layout, numbers: await run.store.read() };
  const scales = await run.scales();
  run.take([512, 1024], { poisoned: "host/weight" });
  assertEquals((await run.scales())[0], [256, 0, 2]);
  snapshot.revert();
  assertEquals(await run.scales(), scales);
  run.take([512, 1024], { poisoned: "host/weight" });
  run.store.restore(saved.layout, saved.numbers);
  assertEquals(await run.scales(), scales);
  snapshot.destroy();
  run.destroy();
});

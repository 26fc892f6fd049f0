/** Ten steps of airbench94's network and recipe as PyTorch takes them; `make_airbench_golden.py` wrote the numbers. */
import { assert, assertEquals } from "@std/assert";
import { MetricsRing } from "../../src/engine/compile/metrics_ring.ts";
import { compile } from "../../src/engine/compile/program.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { replay } from "../../src/engine/gpu/recorder.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { resident } from "../../src/engine/graph/tensor.ts";
import { readSafetensors } from "../../src/engine/io/safetensors.ts";
import { airbench } from "../../src/engine/nn/airbench.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { softmaxCrossEntropy } from "../../src/engine/ops/loss.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import { Lookahead } from "../../src/engine/optim/lookahead.ts";
import { momentsOf, Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { learningRate } from "../../src/engine/optim/schedule.ts";
import { onEachDevice } from "../support/devices.ts";

const FILE = "airbench.safetensors";
const { tensors, metadata } = readSafetensors(Deno.readFileSync(new URL(FILE, import.meta.url)), FILE);
type Numbers = Float32Array<ArrayBuffer>;
const floats = (name: string) => tensors[name].data as Numbers;

const STEPS = 10, SHIFT_RATE = 64, EVERY = 3, KEEP = 0.8;
const RULE = { kind: "sgd", momentum: 0.85, nesterov: true } as const;
const RATE = { peak: 0.3, initial: 0.2, warmup: 0.3, final: 0.1, shape: "linear" } as const;

/** As many times as far from float64 as PyTorch's own float32 steps are; the engine adds up in another order. */
const SLACK = 8;

function assertNear(got: ArrayLike<number>, want: Numbers, what: string, drift: string): void {
  assertEquals(got.length, want.length, what);
  const limit = SLACK * Number(metadata[`drift ${drift}`]) + 2 ** -24;
  const scale = Math.max(...want.map(Math.abs));
  const error = Math.max(...want.map((value, i) => Math.abs(got[i] - value) / scale));
  assert(error <= limit, `${what}: want at most ${limit} of the largest away from PyTorch, got ${error}`);
}

/** What a shift is of its parameter. */
const gainOf = (name: string) => name.endsWith("shift") ? Math.sqrt(SHIFT_RATE) : 1;

function trace() {
  const scope = new TraceScope();
  const model = airbench([12, 12, 3], 5, { channels: [6, 8], shiftRate: SHIFT_RATE });
  const logits = model.forward(scope, resident("x", tensors.x.shape, "f32"));
  const labels = resident("labels", tensors.labels.shape, "u32");
  const loss = mean(softmaxCrossEntropy(logits, labels, { smoothing: 0.2 }));
  const { parameters, untrained } = scope;
  return { parameters, untrained, loss, grads: gradients(loss, parameters.map(({ tensor }) => tensor)) };
}

async function train(gpu: Gpu) {
  const { parameters, untrained, loss, grads } = trace();
  const capacity = ParameterStore.sizeOf([...parameters, ...untrained]);
  const store = new ParameterStore(gpu, capacity, momentsOf(RULE), true);
  store.add(
    parameters.map((spec) => ({
      spec,
      values: floats(`initial/${spec.name}`).map((value) => value / gainOf(spec.name)),
    })),
    "host",
  );
  store.add(
    untrained.filter(({ name }) => !name.endsWith("statistics")).map((spec) => ({
      spec,
      values: spec.name.endsWith("scale") ? new Float32Array(spec.shape[0]).fill(1) : floats(spec.name),
    })),
    "untrained",
  );
  const optimizer = new Optimizer(gpu, store, RULE), lookahead = new Lookahead(gpu, store);
  const ring = new MetricsRing(gpu, 1, 0, STEPS);
  const data: Record<string, BufferView> = {
    x: gpu.allocator.upload("x", floats("x")),
    labels: gpu.allocator.upload("labels", tensors.labels.data as Uint32Array<ArrayBuffer>),
  };
  const program = await compile(gpu, {
    label: "golden",
    writes: parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
    outputs: { loss: reshape(loss, [1]) },
    stepInputs: [optimizer.stepInput, lookahead.stepInput, ring.stepInput],
    memory: (source) => data[source.name] ?? store.view(source.name),
  });
  const update = [...await optimizer.bind(program.step), await lookahead.bind(program.step)];
  const append = await ring.bind(program.step, program.outputs.loss, program.outputs.loss);
  for (let updates = 1; updates <= STEPS; updates++) {
    const learning = learningRate((updates - 1) / STEPS, RATE);
    const meets = updates % EVERY === 0 || updates === STEPS;
    program.step.write({
      ...optimizer.stepValues({ host: { learningRate: learning, weightDecay: 1e-2, clip: 0, updates } }),
      ...lookahead.stepValues(meets ? { host: 1 - KEEP * (updates / STEPS) ** 3 } : {}),
      ...ring.next(),
    });
    replay(gpu, program.dispatches, update, [append]);
  }
  const losses = (await ring.drain()).map(([value]) => value);
  const final: Record<string, Numbers> = {};
  for (const { name } of parameters) final[name] = (await store.get(name)).map((v) => v * gainOf(name));
  for (const owned of [program, ring, optimizer, store]) owned.destroy();
  for (const view of Object.values(data)) gpu.allocator.free(view);
  return { losses, final };
}

onEachDevice("Ten steps by the recipe of airbench94 have PyTorch's losses and parameters", async (gpu) => {
  const { losses, final } = await train(gpu);
  assertNear(losses, floats("losses"), "losses", "losses");
  for (const [name, values] of Object.entries(final)) {
    assertNear(values, floats(`final/${name}`), `${name} after ten steps`, "final");
  }
});

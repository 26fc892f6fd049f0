/** Ten training steps of a small network as PyTorch takes them; `make_cnn_golden.py` wrote the numbers. */
import { assert, assertEquals } from "@std/assert";
import type { UpdateRule } from "../../kernels/optim.ts";
import { MetricsRing } from "../../src/engine/compile/metrics_ring.ts";
import { compile } from "../../src/engine/compile/program.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { readFloats } from "../../src/engine/gpu/readback.ts";
import { replay } from "../../src/engine/gpu/recorder.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { resident } from "../../src/engine/graph/tensor.ts";
import { readSafetensors } from "../../src/engine/io/safetensors.ts";
import { conv, dense, groupNorm } from "../../src/engine/nn/layers.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { relu } from "../../src/engine/ops/elementwise.ts";
import { meanCrossEntropy } from "../../src/engine/ops/loss.ts";
import { maxPool2d } from "../../src/engine/ops/pool.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import { momentsOf, Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { onEachDevice } from "../support/devices.ts";

const FILE = "cnn.safetensors";
const { tensors, metadata } = readSafetensors(Deno.readFileSync(new URL(FILE, import.meta.url)), FILE);
const STEPS = 10;

/** PyTorch's own float32 steps lie this far from the float64 ones of the file, as a share of the largest number. */
const driftOf = (what: string) => Number(metadata[`drift ${what}`]);
/**
 * How many times that distance the engine's float32 steps may lie away: its sums run in another order than PyTorch's, and
 * one run's distance is one draw. Half an epsilon for the file's rounding comes on top.
 */
const SLACK = 8;
const HALF_EPSILON = 2 ** -24;

type Numbers = Float32Array<ArrayBuffer>;
const floats = (name: string) => tensors[name].data as Numbers;

function assertNear(got: ArrayLike<number>, want: Numbers, limit: number, what: string): void {
  assertEquals(got.length, want.length, what);
  const scale = Math.max(...want.map(Math.abs));
  const error = Math.max(...want.map((value, i) => Math.abs(got[i] - value) / scale));
  assert(error <= limit, `${what}: want at most ${limit} of the largest away from PyTorch, got ${error}`);
}

/** The network of the script, loss and gradients. */
function trace() {
  const x = resident("x", tensors.x.shape, "f32"), labels = resident("labels", tensors.labels.shape, "u32");
  const scope = new TraceScope();
  let h = conv(scope, "conv1", x, { out: 8, kernel: 3, bias: false });
  h = maxPool2d(relu(groupNorm(scope, "norm1", h, 4)), { kernel: 2 });
  h = conv(scope, "conv2", h, { out: 12, kernel: 3 });
  h = relu(groupNorm(scope, "norm2", h, 4));
  const logits = dense(scope, "head", mean(h, [1, 2]), 5);
  const { loss } = meanCrossEntropy(logits, labels, { smoothing: 0.1 });
  const { parameters } = scope;
  return { parameters, loss, grads: gradients(loss, parameters.map(({ tensor }) => tensor)) };
}

interface Recipe {
  readonly rule: UpdateRule;
  readonly row: { readonly learningRate: number; readonly weightDecay: number; readonly clip: number };
}

const sgd = (nesterov: boolean): UpdateRule => ({ kind: "sgd", momentum: 0.9, nesterov });
const RECIPES: Readonly<Record<string, Recipe>> = {
  sgd: { rule: sgd(true), row: { learningRate: 0.1, weightDecay: 5e-4, clip: 0 } },
  adamw: {
    rule: { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    row: { learningRate: 1e-2, weightDecay: 1e-2, clip: 0 },
  },
  clip: { rule: sgd(false), row: { learningRate: 0.1, weightDecay: 5e-4, clip: 0.25 } },
};

/** Trains as a run does: one program with its update and a metrics row, replayed. */
async function train(gpu: Gpu, { rule, row }: Recipe) {
  const { parameters, loss, grads } = trace();
  const store = new ParameterStore(gpu, ParameterStore.sizeOf(parameters), momentsOf(rule));
  store.add(parameters.map((spec) => ({ spec, values: floats(`initial/${spec.name}`) })), "host");
  const optimizer = new Optimizer(gpu, store, rule, { clip: row.clip > 0, norms: true });
  const ring = new MetricsRing(gpu, 1, 1, STEPS);
  const data: Record<string, BufferView> = {
    x: gpu.allocator.upload("x", floats("x")),
    labels: gpu.allocator.upload("labels", tensors.labels.data as Uint32Array<ArrayBuffer>),
  };
  const program = await compile(gpu, {
    label: "golden",
    writes: parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
    outputs: { loss: reshape(loss, [1]) },
    stepInputs: [optimizer.stepInput, ring.stepInput],
    memory: (source) => data[source.name] ?? store.view(source.name),
  });
  const update = await optimizer.bind(program.step);
  const append = await ring.bind(program.step, program.outputs.loss, optimizer.norms);
  const first: Record<string, Numbers> = {};
  for (let updates = 1; updates <= STEPS; updates++) {
    program.step.write({ ...optimizer.stepValues({ host: { ...row, updates } }), ...ring.next() });
    replay(gpu, program.dispatches, update, [append]);
    if (updates > 1) continue;
    for (const { name } of parameters) {
      first[name] = await readFloats(gpu, store.gradientView(name), floats(`initial/${name}`).length);
    }
  }
  const rows = await ring.drain();
  const final: Record<string, Numbers> = {};
  for (const { name } of parameters) final[name] = await store.get(name);
  for (const owned of [program, ring, optimizer, store]) owned.destroy();
  for (const view of Object.values(data)) gpu.allocator.free(view);
  return { losses: rows.map((r) => r[0]), norms: rows.map((r) => r[1]), first, final };
}

Deno.test("The golden network has the parameters of the file", () => {
  const names = Object.keys(tensors).filter((name) => name.startsWith("initial/"));
  const { parameters } = trace();
  assertEquals(parameters.map(({ name }) => `initial/${name}`).sort(), names.sort());
  for (const { name, shape } of parameters) assertEquals(shape, tensors[`initial/${name}`].shape, name);
});

Deno.test("evaluate() gives PyTorch's float64 loss and gradients, up to the file's rounding", () => {
  const { parameters, loss, grads } = trace();
  const feeds = Object.fromEntries(parameters.map(({ name }) => [name, floats(`initial/${name}`)]));
  const inputs = { x: floats("x"), labels: tensors.labels.data as Uint32Array };
  const [value, ...values] = evaluate([loss, ...grads], { ...feeds, ...inputs });
  // Float64 leaves about 1e-14; all the rest is the file's.
  const limit = HALF_EPSILON * 1.001;
  assertNear(value, floats("sgd/losses").slice(0, 1), limit, "loss");
  for (const [k, { name }] of parameters.entries()) {
    assertNear(values[k], floats(`gradient/${name}`), limit, name);
  }
});

for (const [label, recipe] of Object.entries(RECIPES)) {
  onEachDevice(`Ten steps (${label}) have PyTorch's losses, gradients, norms and parameters`, async (gpu) => {
    const { losses, norms, first, final } = await train(gpu, recipe);
    const limit = (what: string) => SLACK * driftOf(what) + HALF_EPSILON;
    assertNear(losses, floats(`${label}/losses`), limit(`${label}/losses`), "losses");
    assertNear(norms, floats(`${label}/norms`), limit(`${label}/norms`), "gradient norms");
    for (const [name, gradient] of Object.entries(first)) {
      assertNear(gradient, floats(`gradient/${name}`), limit("gradient"), `gradient of ${name}`);
    }
    for (const [name, values] of Object.entries(final)) {
      assertNear(
        values,
        floats(`${label}/final/${name}`),
        limit(`${label}/final`),
        `${name} after ten steps`,
      );
    }
  });
}

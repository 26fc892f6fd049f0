/** `morph()` on networks that it has never seen: what they compute and how they train stays as it was, to the bit. */
import { assert, assertEquals } from "@std/assert";
import { compile } from "../../src/engine/compile/program.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { readFloats } from "../../src/engine/gpu/readback.ts";
import { replay } from "../../src/engine/gpu/recorder.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { stepInput, withSharedNodes } from "../../src/engine/graph/tensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/engine/io/safetensors.ts";
import { cnn, mlp } from "../../src/engine/nn/hosts.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { conv, dense } from "../../src/engine/nn/layers.ts";
import { resnet } from "../../src/engine/nn/resnet.ts";
import { type Model, type ParameterSpec, TraceScope } from "../../src/engine/nn/scope.ts";
import { gelu, mul, sigmoid } from "../../src/engine/ops/elementwise.ts";
import { softmaxCrossEntropy } from "../../src/engine/ops/loss.ts";
import { globalAveragePool } from "../../src/engine/ops/pool.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { concat } from "../../src/engine/ops/shape.ts";
import { momentsOf, Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { morph } from "../../src/kasmina/morph.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { openShared } from "../support/devices.ts";
import { testRandom } from "../support/values.ts";

const BATCH = 4, CLASSES = 3, STEPS = 3;
const RULE = { kind: "sgd", momentum: 0.9, nesterov: true } as const;

/** Two towers that share a layer, a gate, taps within scopes, one of a vector and one of an image. */
const towers: Model = {
  name: "towers",
  input: [6, 6, 2],
  classes: CLASSES,
  forward(scope, x) {
    const shared = scope.scope("shared");
    const tower = (name: string, kernel: number) => {
      const inner = scope.scope(name);
      const y = gelu(conv(shared, "mix", conv(inner, "first", x, { out: 4, kernel }), { out: 4, kernel: 1 }));
      return inner.tap("out", mul(y, sigmoid(conv(inner, "gate", x, { out: 4, kernel: 1 }))));
    };
    const joined = concat([tower("wide", 5), tower("narrow", 3)], 3);
    const features = scope.tap("features", globalAveragePool(joined));
    return dense(scope, "head", features, CLASSES);
  },
};

type Values = (spec: ParameterSpec) => Float32Array<ArrayBuffer>;
const fresh: Values = ({ name, shape, init }) => initialise(name, shape, init, 5);

/** Logits of each step, and all parameters, averages and moments at the end. */
async function train(gpu: Gpu, model: Model, values: Values): Promise<Record<string, readonly number[]>> {
  const random = testRandom(model.name);
  const { scope, logits, grads } = withSharedNodes(() => {
    const scope = new TraceScope();
    const logits = model.forward(scope, stepInput("x", [BATCH, ...model.input]));
    const loss = mean(softmaxCrossEntropy(logits, stepInput("labels", [BATCH], "u32")));
    return { scope, logits, grads: gradients(loss, scope.parameters.map(({ tensor }) => tensor)) };
  });
  const specs = [...scope.parameters, ...scope.averages];
  const store = new ParameterStore(gpu, ParameterStore.sizeOf(specs), momentsOf(RULE));
  const optimizer = new Optimizer(gpu, store, RULE);
  store.add(scope.parameters.map((spec) => ({ spec, values: values(spec) })), "host");
  store.add(scope.averages.map((spec) => ({ spec, values: values(spec) })), "averages");
  const program = await compile(gpu, {
    label: model.name,
    writes: [
      ...scope.parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
      ...scope.averages.map(({ name, next }) => ({ tensor: next, into: store.view(name) })),
    ],
    outputs: { logits },
    stepInputs: [optimizer.stepInput],
    memory: ({ name }) => store.view(name),
  });
  const update = await optimizer.bind(program.step);
  const seen: Record<string, readonly number[]> = {};
  for (let step = 1; step <= STEPS; step++) {
    program.step.write({
      ...optimizer.stepValues({ host: { learningRate: 0.05, weightDecay: 1e-3, clip: 0, updates: step } }),
      x: Float32Array.from({ length: BATCH * sizeOf(model.input) }, random),
      labels: Uint32Array.from({ length: BATCH }, (_, n) => n % CLASSES),
    });
    replay(gpu, program.dispatches, update);
    seen[`logits ${step}`] = [...await readFloats(gpu, program.outputs.logits, BATCH * CLASSES)];
  }
  for (const name of store.names) seen[name] = [...await store.get(name)];
  for (const [k, numbers] of (await store.read()).entries()) seen[`buffer ${k}`] = [...numbers];
  program.destroy();
  optimizer.destroy();
  store.destroy();
  return seen;
}

async function staysTheSame(model: Model, slots: readonly string[], values = fresh): Promise<void> {
  const gpu = (await openShared("native"))!;
  const grown = morph(model, ["*"]);
  assertEquals(grown.slots.map(({ name }) => name), slots);
  const before = await train(gpu, model, values);
  assert(
    before["logits 1"].every(Number.isFinite) && before["logits 1"].join() !== before["logits 3"].join(),
  );
  assertEquals(await train(gpu, grown, values), before);
}

const residual = (norm: "batch" | "group") =>
  resnet([8, 8, 3], CLASSES, { width: 4, blocks: [1, 1], norm, groupSize: 2 });

for (const norm of ["batch", "group"] as const) {
  Deno.test(`morph() leaves every bit of a ResNet with ${norm} norm and of its training as it was`, async () => {
    await staysTheSame(residual(norm), ["stem", "block1", "block2"]);
  });
}

Deno.test("morph() leaves every bit of a plain MLP and of its training as it was", async () => {
  await staysTheSame(mlp([7], CLASSES, [9, 5]), ["layer1", "layer2"]);
});

Deno.test("morph() leaves every bit of a user's own network of towers and of its training as it was", async () => {
  await staysTheSame(towers, ["wide/out", "narrow/out", "features"]);
});

Deno.test("morph() leaves every bit of a host loaded from safetensors and of its training as it was", async () => {
  const gpu = (await openShared("native"))!;
  const model = cnn([8, 8, 1], CLASSES, [4, 4]);
  const trained = await train(gpu, model, fresh);
  const specs = morph(model, ["*"]).parameterSpecs({});
  const file = writeSafetensors({
    metadata: {},
    tensors: Object.fromEntries(
      specs.map(({ name, shape }) => [name, { shape: [...shape], data: Float32Array.from(trained[name]) }]),
    ),
  });
  const { tensors } = readSafetensors(file, "host.safetensors");
  const loaded: Values = ({ name }) => tensors[name].data as Float32Array<ArrayBuffer>;
  await staysTheSame(model, ["block1", "block2"], loaded);
});

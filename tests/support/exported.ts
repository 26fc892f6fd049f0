import type { BuiltHost } from "../../src/contracts/config.ts";
import type { ExportedNetwork, NetworkInput } from "../../src/contracts/exported.ts";
import type { Tensors } from "../../src/app/export_compact.ts";
import type { NetworkFile } from "../../src/app/export_file.ts";
import { networkOf, specsOf } from "../../src/app/export_network.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { type Model, TraceScope } from "../../src/engine/nn/scope.ts";
import { findBlueprint } from "../../src/tezzeret/mod.ts";
import { runGraph } from "./run_graph.ts";
import { numbers } from "./store.ts";

/** Numbers of a model as after some training: none is 0 or 1 any more, no two channels have the same statistics. */
export function trainedLike(model: Model): Tensors {
  return Object.fromEntries(
    specsOf(model).map(({ name, shape, init }) => {
      const data = initialise(name, shape, init, 1);
      const noise = numbers(name, data.length, 0.4);
      const change = init.kind === "standardMoments"
        ? (x: number, k: number) => x * Math.exp(noise[k]) + noise[k] * 0.3 * (1 - x)
        : (x: number, k: number) => x + noise[k] * (init.kind === "constant" ? 1 : 0.1);
      return [name, { shape, data: data.map(change) as Float32Array<ArrayBuffer> }];
    }),
  );
}

/** A network with a fossil of each blueprint named, slot by slot, and numbers as after some training. */
export function grownNetwork(
  host: BuiltHost,
  input: NetworkInput,
  fossils: readonly (readonly [slot: string, blueprint: string])[] = [],
): NetworkFile & { readonly model: Model } {
  const description: ExportedNetwork = {
    version: 1,
    host,
    input,
    fossils: fossils.map(([slot, name]) => ({ slot, blueprint: findBlueprint(name) })),
    origin: { run: "test-1", step: 100, dataset: "none", esper: "0.1.0" },
  };
  const tensors = trainedLike(networkOf(description, {}));
  return { description, tensors, model: networkOf(description, tensors) };
}

/** Logits [batch, classes] that an exported network gives on a device, by running statistics. */
export async function logitsOf(
  gpu: Gpu,
  { model, tensors }: { readonly model: Model; readonly tensors: Tensors },
  x: Float32Array,
  batch: number,
): Promise<Float32Array> {
  const logits = model.forward(new TraceScope("running"), stepInput("x", [batch, ...model.input]));
  const values = Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array]);
  return (await runGraph(gpu, [logits], { x, ...Object.fromEntries(values) }))[0] as Float32Array;
}

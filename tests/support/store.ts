import { BLOCK } from "../../kernels/optim.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { ZEROS } from "../../src/engine/nn/init.ts";
import type { ParameterSpec } from "../../src/engine/nn/scope.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { type Shape, sizeOf } from "../../src/util/shape.ts";
import { testRandom } from "./values.ts";

export function spec(name: string, shape: Shape, decay = true): ParameterSpec {
  return { name, shape, init: ZEROS, decay };
}

/** Normal-looking values that differ for each seed. */
export function numbers(seed: string, count: number, scale = 1): Float32Array<ArrayBuffer> {
  const random = testRandom(seed);
  return Float32Array.from({ length: count }, () => scale * (random() + random() + random() - 1.5));
}

/** A parameter with values drawn by its name. */
export function drawn(name: string, shape: Shape, decay = true) {
  return { spec: spec(name, shape, decay), values: numbers(name, sizeOf(shape)) };
}

/** A store with these parameters by group, whose moments are random instead of zero. */
export async function storeWith(
  gpu: Gpu,
  capacity: number,
  groups: Readonly<Record<string, readonly (readonly [name: string, shape: Shape])[]>>,
): Promise<ParameterStore> {
  const store = new ParameterStore(gpu, capacity, 2);
  for (const [group, parameters] of Object.entries(groups)) {
    store.add(parameters.map(([name, shape]) => drawn(name, shape)), group);
  }
  const [values, ...moments] = await store.read();
  store.restore(store.layout, [values, ...moments.map((m, k) => numbers(`moment ${k}`, m.length))]);
  return store;
}

/** Bits of a parameter's values and moments, padding included, by name. */
export async function bitsOf(store: ParameterStore): Promise<Record<string, number[][]>> {
  const read = await store.read();
  return Object.fromEntries(store.layout.places.map(({ name, shape, block }) => {
    const end = block + Math.ceil(sizeOf(shape) / BLOCK);
    return [name, read.map((n) => [...new Uint32Array(n.buffer, block * BLOCK * 4, (end - block) * BLOCK)])];
  }));
}

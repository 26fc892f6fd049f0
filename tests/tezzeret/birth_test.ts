import { assert, assertEquals } from "@std/assert";
import { callOf } from "../../src/engine/compile/schedule.ts";
import { reachable } from "../../src/engine/graph/trace.ts";
import { fitOf } from "../../src/tezzeret/check.ts";
import { library } from "../../src/tezzeret/library.ts";
import { formatShape, type Shape, sizeOf } from "../../src/util/shape.ts";
import { probe } from "./probe.ts";

const IMAGES: Shape[] = [[4, 4, 4], [4, 4, 8], [2, 2, 16], [1, 1, 8], [3, 5, 6]];
const WIDE: Shape[] = [[2, 2, 32], [2, 2, 64]];
const VECTORS: Shape[] = [[8], [32]];

const healthy = library.filter((blueprint) => !blueprint.fault);
const fitting = (shapes: Shape[]) =>
  healthy.flatMap((blueprint) =>
    shapes.filter((shape) => fitOf(blueprint, shape).fits).map((shape) => ({ blueprint, shape }))
  );

for (const { blueprint, shape } of fitting([...IMAGES, ...WIDE, ...VECTORS])) {
  const where = `${blueprint.name} at ${formatShape(shape)}`;

  Deno.test(`birth of ${where} changes nothing at any alpha`, () => {
    const seed = probe(blueprint, shape);
    for (const alpha of [0, 0.5, 1]) {
      const y = seed.output(alpha);
      assertEquals(Math.max(...seed.h.map((value, i) => Math.abs(value - y[i]))), 0);
    }
  });

  Deno.test(`birth of ${where} lets gamma learn at once and every tensor from the second step`, () => {
    const seed = probe(blueprint, shape);
    const flows = (gradient: ArrayLike<number>) => Array.from(gradient).some((value) => value !== 0);
    assert(flows(seed.lossAndGradients().gradients["seed/slot/1/gamma"]), "gamma has no gradient");
    seed.step(0.05);
    for (const [name, gradient] of Object.entries(seed.lossAndGradients().gradients)) {
      assert(flows(gradient), `${name} has no gradient at step 2`);
    }
  });

  Deno.test(`fitOf() of ${where} declares the real parameters and FLOPs`, () => {
    const { seed, parameters } = probe(blueprint, shape);
    const fit = fitOf(blueprint, shape);
    assert(fit.fits);
    assertEquals(fit.parameters, Object.values(parameters).reduce((sum, values) => sum + values.length, 0));
    const flops = reachable([seed.y]).reduce((sum, node) => sum + (node.op?.flops(callOf(node)) ?? 0), 0);
    assertEquals(2 * fit.flops, flops);
  });
}

for (const { blueprint, shape } of fitting([[4, 4, 4], [3, 3, 8], [16]])) {
  Deno.test(`a seed of ${blueprint.name} at ${formatShape(shape)} lowers the loss on a fixed probe in 50 steps`, () => {
    const seed = probe(blueprint, shape);
    const first = seed.step(0.05);
    for (let step = 1; step < 50; step++) seed.step(0.05);
    const { loss } = seed.lossAndGradients();
    assert(loss < 0.95 * first, `loss went from ${first} to ${loss}`);
  });
}

Deno.test("every blueprint that is no fault fits a slot, and each image blueprint fits 4 to 64 channels", () => {
  for (const blueprint of healthy) {
    for (const channels of [4, 8, 16, 32, 64]) {
      assert(fitOf(blueprint, [4, 4, channels]).fits, `${blueprint.name} at ${channels} channels`);
    }
  }
});

Deno.test("the placebo costs three numbers a channel and five operations an element", () => {
  assertEquals(fitOf(healthy[0], [4, 4, 8]), { fits: true, parameters: 24, flops: 5 * sizeOf([4, 4, 8]) });
});

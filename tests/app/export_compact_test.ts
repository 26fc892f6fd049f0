import { assert, assertEquals } from "@std/assert";
import { foldGamma, type Tensors } from "../../src/app/export_compact.ts";
import type { Blueprint } from "../../src/contracts/blueprint.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { build, library, parseBlueprint } from "../../src/tezzeret/mod.ts";
import { type Shape, sizeOf } from "../../src/util/shape.ts";
import { assertClose } from "../support/close.ts";
import { numbers } from "../support/store.ts";

const SHAPES: readonly Shape[] = [[4, 4, 8], [8]];
const healthy = library.filter(({ fault }) => !fault);
const GAMMA = numbers("gamma", 8);

const traced = (blueprint: Blueprint, shape: Shape) => {
  const scope = new TraceScope();
  return { f: build(blueprint, scope, stepInput("h", [2, ...shape])), parameters: scope.parameters };
};

function valuesOf(blueprint: Blueprint, shape: Shape): Tensors {
  return Object.fromEntries(
    traced(blueprint, shape).parameters.map((spec) => [
      spec.name,
      { shape: spec.shape, data: numbers(spec.name, sizeOf(spec.shape)) },
    ]),
  );
}

function run(blueprint: Blueprint, shape: Shape, tensors: Tensors) {
  const { f, parameters } = traced(blueprint, shape);
  assertEquals(Object.keys(tensors).sort(), parameters.map(({ name }) => name).sort());
  const feeds = Object.fromEntries(
    Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array]),
  );
  return evaluate([f], { h: numbers("h", 2 * sizeOf(shape)), ...feeds })[0];
}

const fits = (blueprint: Blueprint, shape: Shape) => {
  try {
    return traced(blueprint, shape).f.shape.length > 0;
  } catch {
    return false;
  }
};

for (const blueprint of healthy) {
  Deno.test(`foldGamma() makes one branch of γ and ${blueprint.name}`, () => {
    const shapes = SHAPES.filter((shape) => fits(blueprint, shape));
    assert(shapes.length > 0);
    for (const shape of shapes) {
      const tensors = valuesOf(blueprint, shape);
      const want = run(blueprint, shape, tensors).map((value, i) => value * GAMMA[i % 8]);
      const folded = foldGamma({ blueprint, tensors }, GAMMA);
      assertEquals(parseBlueprint(folded.blueprint), folded.blueprint);
      assertClose(
        run(folded.blueprint, shape, folded.tensors),
        want,
        { slack: 4, terms: 16 },
        blueprint.name,
      );
    }
  });
}

Deno.test("foldGamma() adds a scale where γ enters no weight, and only there", () => {
  const grown = healthy.filter((blueprint) => {
    const shape = SHAPES.find((shape) => fits(blueprint, shape))!;
    const folded = foldGamma({ blueprint, tensors: valuesOf(blueprint, shape) }, GAMMA);
    return folded.blueprint.nodes.length > blueprint.nodes.length;
  });
  assertEquals(grown.map(({ name }) => name), ["se"]);
});

Deno.test("foldGamma() leaves alone what another node reads", () => {
  const blueprint: Blueprint = {
    name: "shared",
    version: 1,
    about: "the scale before the bias is read twice",
    nodes: [
      { name: "gamma", op: "scale", inputs: ["h"] },
      { name: "gate", op: "tanh", inputs: ["gamma"] },
      { name: "both", op: "mul", inputs: ["gamma", "gate"] },
      { name: "sum", op: "add", inputs: ["gamma", "both"] },
      { name: "shifted", op: "bias", inputs: ["sum"] },
    ],
  };
  const tensors = valuesOf(blueprint, [8]);
  const folded = foldGamma({ blueprint, tensors }, GAMMA);
  assertEquals(folded.blueprint.nodes.map(({ name }) => name), [
    "gamma",
    "gate",
    "both",
    "sum",
    "shifted",
    "gammax",
  ]);
  const want = run(blueprint, [8], tensors).map((value, i) => value * GAMMA[i % 8]);
  assertClose(run(folded.blueprint, [8], folded.tensors), want, { slack: 4, terms: 16 }, "shared");
});

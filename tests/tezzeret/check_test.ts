import fc from "fast-check";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Blueprint, BlueprintNode, BlueprintOp } from "../../src/contracts/blueprint.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { BlueprintError, build, channelCount } from "../../src/tezzeret/build.ts";
import { fitOf, parseBlueprint } from "../../src/tezzeret/check.ts";
import { findBlueprint, library } from "../../src/tezzeret/library.ts";
import { probe } from "./probe.ts";

const OPS = [
  "conv",
  "depthwise",
  "dense",
  "groupNorm",
  "scale",
  "relu",
  "globalPool",
  "multiply",
  "add",
  "mul",
];

const scaled = (input: string): BlueprintNode => ({ name: "out", op: "scale", inputs: [input] });

function blueprint(...nodes: unknown[]): Blueprint {
  return { name: "test", version: 1, about: "a test", nodes: nodes as BlueprintNode[] };
}

function refuses(value: unknown, message: string): void {
  assertStringIncludes(assertThrows(() => parseBlueprint(value), BlueprintError).message, message);
}

Deno.test("parseBlueprint() gives back every blueprint of the library", () => {
  for (const known of library) assertEquals(parseBlueprint(JSON.parse(JSON.stringify(known))), known);
});

Deno.test("parseBlueprint() names an unknown op and lists the known ones", () => {
  refuses(
    blueprint({ name: "look", op: "attention", inputs: ["h"] }),
    "blueprint: nodes.0.op: want op one of conv, depthwise, dense, groupNorm",
  );
  refuses(
    blueprint({ name: "look", op: "attention", inputs: ["h"] }),
    "got attention; build it from those",
  );
  refuses(blueprint({ name: "look", op: "convv", inputs: ["h"] }), 'got convv; did you mean "conv"?');
});

Deno.test("parseBlueprint() refuses what is not in the schema", () => {
  refuses(null, "blueprint: value: ");
  refuses({ ...blueprint(scaled("h")), kernels: [] }, "kernels");
  refuses(blueprint({ name: "c", op: "conv", inputs: ["h"], kernel: 4, out: "C" }), "nodes.0.kernel");
  refuses(blueprint({ name: "c", op: "conv", inputs: ["h"], kernel: 3, out: "C/3" }), "nodes.0.out");
  refuses(blueprint({ name: "m", op: "multiply", inputs: ["h"], by: 1e39 }), "nodes.0.by");
});

Deno.test("parseBlueprint() refuses nodes that do not hang together", () => {
  refuses(blueprint(scaled("later")), "node out: want inputs out of h, got later");
  refuses(blueprint(scaled("h"), scaled("out")), "node out: want a name of its own");
  refuses(
    blueprint({ name: "idle", op: "relu", inputs: ["h"] }, scaled("h")),
    "node idle: want a node that another reads",
  );
});

Deno.test("parseBlueprint() refuses a branch that ends in a non-linearity", () => {
  refuses(
    blueprint(scaled("h"), { name: "end", op: "relu", inputs: ["out"] }),
    "node end: want a branch that ends without a non-linearity, got relu; let a conv, dense or scale follow",
  );
});

Deno.test("parseBlueprint() refuses a branch in which h has no path to the result", () => {
  const cut = { name: "cut", op: "multiply", inputs: ["h"], by: 0 };
  const message =
    "node out: want a result that h has a path to, got one that cut cuts off by a factor of 0; remove cut";
  refuses(blueprint(cut, scaled("cut")), message);
  // Too small for float32 is 0, too; and a product with nothing is nothing.
  refuses(blueprint({ ...cut, by: 1e-60 }, scaled("cut")), message);
  refuses(blueprint(cut, { name: "out", op: "mul", inputs: ["h", "cut"] }), message);
  const shifted = { name: "shifted", op: "bias", inputs: ["cut"] };
  refuses(blueprint(cut, shifted, { name: "out", op: "add", inputs: ["cut", "shifted"] }), message);
  parseBlueprint(blueprint(cut, { name: "out", op: "add", inputs: ["h", "cut"] }));
});

Deno.test("parseBlueprint() and fitOf() answer any damaged blueprint with a BlueprintError or a checked one", () => {
  const texts = library.map((known) => JSON.stringify(known));
  const values = fc.oneof(
    fc.constantFrom(...OPS, "C", "4C", "h", "", "__proto__"),
    fc.double(),
    fc.integer(),
    fc.constant(null),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const damaged = fc.tuple(fc.constantFrom(...texts), fc.nat(), values).map(([text, at, value]) => {
    // Replaces the value at one of the places that JSON.parse visits.
    let place = 0;
    const count = (text.match(/[:,[]/g) ?? []).length;
    return JSON.parse(text, (_, old) => place++ === at % count ? value : old);
  });
  fc.assert(
    fc.property(damaged, (value) => {
      let parsed: Blueprint;
      try {
        parsed = parseBlueprint(value);
      } catch (error) {
        assert(error instanceof BlueprintError, String(error));
        assert(error.message.length < 2000, error.message);
        return;
      }
      for (const shape of [[4, 4, 8], [8]]) {
        const fit = fitOf(parsed, shape);
        assert(fit.fits ? fit.parameters > 0 && fit.flops > 0 : fit.reason.startsWith("blueprint "));
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
});

Deno.test("fitOf() says why a blueprint does not fit a slot", () => {
  const reason = (b: Blueprint, shape: number[]) => {
    const fit = fitOf(b, shape);
    return fit.fits ? "fits" : fit.reason;
  };
  assertEquals(
    reason(findBlueprint("conv3"), [16]),
    "blueprint conv3: node spatial: want an activation [H, W, C], got [16]; use dense, or a slot behind images",
  );
  assertEquals(
    reason(findBlueprint("mlp"), [1]),
    "blueprint mlp: node norm: want more than one value to normalise, got an activation of one; " +
      "leave the norm out, or use a wider slot",
  );
  assertEquals(
    reason(blueprint({ name: "wide", op: "dense", inputs: ["h"], out: "2C" }), [8]),
    'blueprint test: want a result of the slot\'s shape [8], to which h is added, got [16]; end with out "C"',
  );
  assertStringIncludes(
    reason(
      blueprint({ name: "wide", op: "dense", inputs: ["h"], out: "2C" }, {
        name: "sum",
        op: "add",
        inputs: ["h", "wide"],
      }),
      [8],
    ),
    "blueprint test: node sum: want inputs of one shape, got [8] and [16]; give both the same out",
  );
  assertEquals(
    reason(findBlueprint("slow"), [4, 4, 512]),
    `blueprint slow: want at most 16777216 parameters, got ${12 * (25 * 512 * 512 + 2 * 512) + 512}; ` +
      'use fewer layers, or "C/4" channels within',
  );
});

Deno.test("findBlueprint() lists what there is", () => {
  assertThrows(() => findBlueprint("conv33"), Error, "blueprint: want one of affine, se, pointwise");
});

Deno.test("channelCount() keeps fractions between the minimum and C, and multiplies freely", () => {
  assertEquals([4, 8, 16, 64].map((c) => channelCount("C/4", c, 4)), [4, 4, 4, 16]);
  assertEquals([1, 2, 4].map((c) => channelCount("C/2", c, 4)), [1, 2, 4]);
  assertEquals(
    [channelCount("C/4", 6), channelCount("C/4", 2), channelCount("2C", 5), channelCount("4C", 5)],
    [
      1,
      1,
      10,
      20,
    ],
  );
});

Deno.test("build() computes each arithmetic op", () => {
  const h = [0.5, -2];
  const values: Partial<Record<BlueprintOp, (x: number) => number>> = {
    relu: (x) => Math.max(0, x),
    silu: (x) => x / (1 + Math.exp(-x)),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    tanh: Math.tanh,
    square: (x) => x * x,
    add: (x) => x + x,
    mul: (x) => x * x,
    bias: (x) => x,
  };
  for (const [op, f] of Object.entries(values)) {
    const inputs = op === "add" || op === "mul" ? ["h", "h"] : ["h"];
    const y = build(blueprint({ name: "y", op, inputs }), new TraceScope(), stepInput("h", [1, 2]));
    const [result] = evaluate([y], { h, "y/weight": [0, 0] });
    result.forEach((value, i) => assertAlmostEquals(value, f(h[i]), 1e-12));
  }
});

Deno.test("nan poisons whatever it touches from birth", () => {
  assert(probe(findBlueprint("nan"), [2, 2, 4]).output(1).some(Number.isNaN));
});

Deno.test("explode is harmless at birth and beyond all bounds after one step", () => {
  const seed = probe(findBlueprint("explode"), [2, 2, 4]);
  assertEquals(seed.output(1), seed.h);
  const first = seed.step(0.05);
  assert(seed.lossAndGradients().loss > 1e12 * first);
});

Deno.test("slow costs far more than any other blueprint", () => {
  const flops = (name: string) => {
    const fit = fitOf(findBlueprint(name), [4, 4, 8]);
    return fit.fits ? fit.flops : 0;
  };
  assert(flops("slow") > 10 * flops("basic"));
});

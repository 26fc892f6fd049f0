import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import { stepInput, type Tensor, withSharedNodes } from "../../src/engine/graph/tensor.ts";
import { reachable } from "../../src/engine/graph/trace.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { conv, dense, groupNorm } from "../../src/engine/nn/layers.ts";
import { type Model, TraceScope } from "../../src/engine/nn/scope.ts";
import { relu, square } from "../../src/engine/ops/elementwise.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { morph } from "../../src/kasmina/morph.ts";
import type { SeedMode } from "../../src/contracts/growth.ts";
import type { Branch, LiveSeed } from "../../src/kasmina/seed.ts";

/** A network as a user might write it, with a tap in a nested scope. */
const network: Model = {
  name: "little",
  input: [4, 4, 2],
  classes: 3,
  forward(scope, x) {
    for (const name of ["stem", "stage1"]) {
      const inner = scope.scope(name);
      x = inner.tap("out", relu(groupNorm(inner, "norm", conv(inner, "conv", x, { out: 4, kernel: 3 }))));
    }
    return dense(scope, "head", scope.tap("features", mean(x, [1, 2])), 3);
  },
};

const branch: Branch = (scope, h) =>
  h.shape.length === 4
    ? conv(scope, "mix", h, { out: 4, kernel: 1, bias: false })
    : dense(scope, "mix", h, h.shape[1]);
const seed = (slot: string, mode: SeedMode, normCap?: number): LiveSeed => ({
  seed: `${slot}/1`,
  mode,
  branch,
  ...(normCap === undefined ? {} : { normCap }),
});

const x = () => stepInput("x", [2, 4, 4, 2]);
const lossOf = (logits: Tensor) => mean(square(logits));

/** Values for every source; `change` may set parameters, such as gamma. */
function feeds(scope: TraceScope, alpha: number, gamma: number): Record<string, Values | number[]> {
  const parameters = scope.parameters.map(({ name, shape, init }) =>
    [
      name,
      name.endsWith("gamma")
        ? initialise(name, shape, { kind: "constant", value: gamma }, 1)
        : initialise(name, shape, init, 7),
    ] as const
  );
  return {
    x: Float64Array.from({ length: 64 }, (_, i) => Math.sin(3 * i)),
    "alpha/stem/out": [alpha],
    ...Object.fromEntries(parameters),
  };
}

Deno.test("morph() finds taps by name and glob, in the network's order, with the layer before each", () => {
  const model = morph(network, ["features", "st*/out"]);
  assertEquals(
    model.slots.map(({ name, shape, hostParams }) => [name, shape, hostParams]),
    [["stem/out", [4, 4, 4], 84], ["stage1/out", [4, 4, 4], 156], ["features", [4], 0]],
  );
  const one = morph(network, ["stage1/*"]);
  assertEquals(one.freeTaps, ["stem/out", "features"]);
  assertEquals(one.slots[0].layer.map((spec) => spec.name), [
    "stage1/conv/weight",
    "stage1/conv/bias",
    "stage1/norm/scale",
    "stage1/norm/shift",
  ]);
});

Deno.test("morph() refuses patterns that match nothing and lists the taps", () => {
  const taps = "stem/out, stage1/out, features";
  assertThrows(
    () => morph(network, ["stem"]),
    Error,
    `morph: 0 slots matched "stem"; little's taps: ${taps}`,
  );
  assertThrows(() => morph(network, ["*", "x"]), Error, `morph: 0 slots matched "x"; little's taps: ${taps}`);
  assertThrows(
    () => morph(network, []),
    Error,
    `morph: 0 slots matched; name some of little's taps: ${taps}`,
  );
  const silent: Model = { ...network, forward: (scope, x) => dense(scope, "head", mean(x, [1, 2]), 3) };
  assertThrows(() => morph(silent, ["*"]), Error, "call scope.tap(name, h) in its forward");
});

Deno.test("morph() refuses two taps of one name, and seeds where there is no slot", () => {
  const twice: Model = { ...network, forward: (scope, x) => scope.tap("a", scope.tap("a", mean(x, [1, 2]))) };
  assertThrows(
    () => morph(twice, ["a"]),
    Error,
    "morph: want taps with names of their own, got a twice in little",
  );
  assertThrows(
    () => morph(network, ["stem/*"]).forward(new TraceScope(), x(), { features: seed("features", "blend") }),
    Error,
    "morph: want seeds in slots stem/out, got one in features",
  );
});

Deno.test("morph() without seeds is the network's own graph, node for node", () => {
  withSharedNodes(() => {
    const scope = new TraceScope();
    assertStrictEquals(morph(network, ["*"]).forward(scope, x()), network.forward(scope, x()));
  });
});

Deno.test("a seed is an exact no-op at birth for every alpha, in every mode", () => {
  for (const mode of ["blend", "fossil", "shadow", "ste"] as const) {
    const scope = new TraceScope(), model = morph(network, ["*"]);
    const plain = network.forward(scope, x());
    const grown = model.forward(scope, x(), { "stem/out": seed("stem/out", mode) });
    for (const alpha of [0, 0.5, 1]) {
      const [want, got] = evaluate([plain, grown], feeds(scope, alpha, 0));
      assertEquals(got, want);
    }
  }
});

Deno.test("a blend at alpha 1 is the fossil, at alpha 0 the host, and lets the layers before it learn", () => {
  const scope = new TraceScope(), model = morph(network, ["*"]);
  const [plain, blend, fossil] = [{}, { "stem/out": seed("stem/out", "blend") }, {
    "stem/out": seed("stem/out", "fossil"),
  }].map((live) => model.forward(scope, x(), live));
  const weight = scope.parameter("stem/conv/weight", [], { kind: "constant", value: 0 });
  const [upstream] = gradients(lossOf(blend), [weight]);
  const [a, b, c, slope] = evaluate([plain, blend, fossil, upstream], feeds(scope, 1, 0.5));
  assertEquals(b, c);
  assert(a.some((value, i) => value !== b[i]));
  assert(slope.some((value) => value !== 0));
  const [host, off] = evaluate([plain, blend], feeds(scope, 0, 0.5));
  assertEquals(off, host);
});

Deno.test("a shadow pass shares the head with the host's pass and touches no gradient of the host", () => {
  withSharedNodes(() => {
    const scope = new TraceScope(), model = morph(network, ["*"]);
    const host = model.trace(scope, x(), {});
    const hostParameters = scope.parameters.map((spec) => spec.tensor);
    const hostSlopes = gradients(lossOf(host.logits), hostParameters);
    const before = reachable([host.logits, ...hostSlopes]);

    const shadow = model.trace(scope, x(), { "stage1/out": seed("stage1/out", "shadow") });
    const own = scope.parameters.slice(hostParameters.length).map((spec) => spec.tensor);
    const slopes = gradients(lossOf(shadow.logits), own);
    assertStrictEquals(shadow.taps.get("stage1/out"), host.taps.get("stage1/out"));
    assertEquals(reachable([host.logits, ...hostSlopes]), before);
    const extra = reachable([shadow.logits, ...slopes]).filter((node) => !before.includes(node));
    const convolutions = extra.filter((node) => node.op?.name === "conv2d");
    assertEquals(convolutions.length, 1, "only the seed's own convolution is computed again");
    const values = evaluate(slopes, feeds(scope, 1, 0.5));
    assert(values.every((slope) => slope.some((value) => value !== 0)));
  });
});

Deno.test("a shadow caps the seed's norm at the activation's and leaves smaller ones alone", () => {
  const norm = (values: Values) => Math.hypot(...values);
  const ratio = (gamma: number, cap?: number) => {
    const scope = new TraceScope();
    const { y, h, delta } = morph(network, ["*"])
      .trace(scope, x(), { "stem/out": seed("stem/out", "shadow", cap) }).seeds.get("stem/out")!;
    const [out, host, wanted] = evaluate([y, h, delta], feeds(scope, 1, gamma));
    return [norm(out.map((value, i) => value - host[i])) / norm(host), norm(wanted) / norm(host)];
  };
  const [small, wanted] = ratio(0.01);
  assert(Math.abs(small - wanted) < 1e-9 && small < 1);
  assert(Math.abs(ratio(100)[0] - 1) < 1e-6);
  assert(Math.abs(ratio(100, 0.25)[0] - 0.25) < 1e-6);
});

Deno.test("a straight-through seed leaves output and host gradients alone and learns from the slot's", () => {
  const scope = new TraceScope(), model = morph(network, ["*"]);
  const plain = network.forward(scope, x());
  const hostParameters = scope.parameters.map((spec) => spec.tensor);
  const { logits, stopAt, seeds } = model.trace(scope, x(), { "stem/out": seed("stem/out", "ste") });
  const own = scope.parameters.slice(hostParameters.length).map((spec) => spec.tensor);
  const want = gradients(lossOf(plain), hostParameters);
  const got = gradients(lossOf(logits), [...hostParameters, ...own], stopAt);
  const values = evaluate([plain, ...want, logits, ...got], feeds(scope, 1, 0.5));
  const size = 1 + want.length;
  const close = (a: Values, b: Values) => assert(a.every((value, i) => Math.abs(value - b[i]) < 1e-12));
  for (let k = 0; k < size; k++) close(values[size + k], values[k]);
  assert(values.slice(2 * size).every((slope) => slope.some((value) => value !== 0)));
  assertEquals(seeds.size, 1);
});

Deno.test("parameterSpecs() lists the host's parameters, then each seed's under its own prefix", () => {
  const model = morph(network, ["*"]);
  const host = model.parameterSpecs({}).map((spec) => spec.name);
  const specs = model.parameterSpecs({ "stem/out": seed("stem/out", "blend") });
  assertEquals(specs.map((spec) => spec.name), [
    ...host,
    "seed/stem/out/1/gamma",
    "seed/stem/out/1/mix/weight",
  ]);
  assertEquals(specs.at(-2), {
    ...specs.at(-2)!,
    shape: [4],
    init: { kind: "constant", value: 0 },
    decay: false,
  });
});

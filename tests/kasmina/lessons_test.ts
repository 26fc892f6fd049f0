/** Ways in which growing networks went wrong before: each is shown not to. Named after what went wrong. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { GatesConfig } from "../../src/contracts/config.ts";
import { HEALTH } from "../../src/contracts/health.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import { stepInput, type Tensor } from "../../src/engine/graph/tensor.ts";
import { mlp } from "../../src/engine/nn/hosts.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { dense } from "../../src/engine/nn/layers.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { square, tanh } from "../../src/engine/ops/elementwise.ts";
import { trendOf } from "../../src/kasmina/trend.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { legalActions } from "../../src/kasmina/legal.ts";
import { morph } from "../../src/kasmina/morph.ts";
import { g2, g4 } from "../../src/kasmina/gates.ts";
import type { Kasmina } from "../../src/kasmina/types.ts";
import type { SeedMode } from "../../src/contracts/growth.ts";
import { context, controlLoss, healthLike, healthy, slots } from "./slots.ts";

const network = morph(mlp([3], 2, [4, 4]), ["*"]);
const limits = GatesConfig.parse({});

/** The network with a seed behind its first layer, whose γ is a constant. */
function grown(mode: SeedMode, gamma: number, alpha = 1) {
  const scope = new TraceScope();
  const trace = network.trace(scope, stepInput("x", [5, 3]), {
    layer1: { seed: "layer1/1", mode, branch: (inner, h) => tanh(dense(inner, "f", h, 4)) },
  });
  const loss = mean(square(trace.logits));
  const named = (part: string) =>
    scope.parameters.filter(({ name }) => name.includes(part)).map(({ tensor }) => tensor);
  const run = (outputs: readonly Tensor[]): Values[] =>
    evaluate(outputs, {
      x: Float64Array.from({ length: 15 }, (_, i) => Math.sin(4 * i)),
      "alpha/layer1": [alpha],
      ...Object.fromEntries(scope.parameters.map(({ name, shape, init }) => [
        name,
        initialise(name, shape, name.endsWith("gamma") ? { kind: "constant", value: gamma } : init, 2),
      ])),
    });
  const slopes = (part: string) => run(gradients(loss, named(part), trace.stopAt));
  return { ...trace, loss, run, slopes, seed: trace.seeds.get("layer1")! };
}

const size = (values: readonly Values[]) => Math.hypot(...values.flatMap((list) => [...list]));

function ticks(kasmina: Kasmina, count: number, changes: Partial<typeof healthy> = {}) {
  return Array.from({ length: count }, (_, k) =>
    kasmina.onTick({
      tick: 20 + k,
      step: 2000 + 100 * k,
      controlLoss: { ...controlLoss, mean: 1 - 0.05 * k },
      slots: { a: { ...healthy, ...changes } },
    })).flat();
}

function trained(): Kasmina {
  const kasmina = slots();
  kasmina.apply({ kind: "germinate", slot: "a", blueprint: "conv3" }, context);
  ticks(kasmina, 1);
  return kasmina;
}

Deno.test("lesson 1: a block that starts at zero is not dead", () => {
  for (const mode of ["shadow", "blend", "ste"] as const) {
    assert(size(grown(mode, 0).slopes("gamma")) > 0, `γ has no gradient in ${mode}`);
    for (const slope of grown(mode, 0.1).slopes("seed/")) {
      assert(size([slope]) > 0, `a dead tensor in ${mode}`);
    }
  }
});

Deno.test("lesson 2: germination is a no-op whatever the blueprint starts with", () => {
  for (const mode of ["shadow", "blend", "ste", "fossil"] as const) {
    const { run, seed } = grown(mode, 0);
    const [h, y] = run([seed.h, seed.y]);
    assertEquals(y, h);
  }
});

Deno.test("lesson 3: at full strength no wall stands between the loss and the layers before the seed", () => {
  for (const mode of ["blend", "fossil"] as const) {
    const { run, seed, loss, stopAt, slopes } = grown(mode, 0.5);
    assert(size(slopes("layer1/weight")) > 0);
    const [through] = run(gradients(loss, [seed.h], stopAt));
    const [beside] = run(gradients(loss, [seed.y], stopAt));
    assert(through.some((value, i) => value !== beside[i]), "nothing comes back through the branch");
  }
});

Deno.test("lesson 4: straight-through drives a seed the same however large it is; the shadow pass answers, and is capped", () => {
  const answer = (mode: SeedMode, gamma: number) => grown(mode, gamma).slopes("gamma")[0];
  const close = (a: Values, b: Values) => a.every((value, i) => Math.abs(value - b[i]) < 1e-9);
  assert(close(answer("ste", 0.1), answer("ste", 100)));
  assert(!close(answer("shadow", 0.1), answer("shadow", 0.5)));
  const { run, seed } = grown("shadow", 100);
  const [h, y] = run([seed.h, seed.y]);
  assert(size([y.map((value, i) => value - h[i])]) <= size([h]) * (1 + 1e-6));
});

Deno.test("lesson 5: time served is no progress: without proof the last tick of training prunes", () => {
  const edges = ticks(trained(), 12, { advantage: { mean: 0, se: 0.01, n: 8 } });
  assertEquals(edges.map(({ to, reason }) => [to, reason]), [["PRUNED", "no_benefit"]]);
});

Deno.test("lesson 6: α has one owner, is applied once, and looking at it does not move it", () => {
  const { run, seed } = grown("blend", 0.7, 0.5);
  const [h, delta, y] = run([seed.h, seed.delta, seed.y]);
  assertEquals(y, h.map((value, i) => value + 0.5 * delta[i]));
  const kasmina = trained();
  ticks(kasmina, 3);
  kasmina.apply({ kind: "advance", slot: "a" }, context);
  ticks(kasmina, 2);
  for (let look = 0; look < 9; look++) {
    assertEquals([kasmina.alphaAt("a", 0), kasmina.alphaAt("a", 1)], [0.25, 0.5]);
  }
  ticks(kasmina, 1);
  assertEquals(kasmina.alphaAt("a", 0), 0.5);
});

Deno.test("lesson 7: at α = 1 a seed is on, with no gate of its own in between", () => {
  const { run, seed, logits } = grown("blend", 0.7, 1);
  const fossil = grown("fossil", 0.7);
  assertEquals(run([seed.y, logits]), fossil.run([fossil.seed.y, fossil.logits]));
});

Deno.test("lesson 9: a host that improves by itself earns its seed nothing", () => {
  const kasmina = trained();
  ticks(kasmina, 4, { advantage: { mean: 0, se: 0, n: 8 } });
  assertEquals(kasmina.check({ kind: "advance", slot: "a" }, context)?.reason, "advantage_unproven");
});

Deno.test("lesson 10: being missed is no contribution: removal costs refuse, and never admit", () => {
  const facts = {
    stage: "TRAINING",
    ticksInStage: 5,
    gradNorm: 1,
    hostGradNorm: 1,
    advantage: null,
  } as const;
  assertEquals(g2(facts, limits).reason, "advantage_unmeasured");
  const held = {
    stage: "HOLDING",
    ticksInStage: 5,
    removalPasses: 5,
    trend: { slope: 0, se: 0 },
  } as const;
  assertEquals(
    g4({ ...held, removal: { mean: -0.1, se: 0.01, n: 8, age: 0 } }, limits).reason,
    "removal_unproven",
  );
});

Deno.test("lesson 11: a seed that was worth more when its hold began does not become a fossil", () => {
  const held = {
    stage: "HOLDING",
    ticksInStage: 5,
    removalPasses: 5,
    trend: trendOf([0.5, 0.25, 0.1], [0.01, 0.01, 0.01]),
  } as const;
  assertEquals(
    g4({ ...held, removal: { mean: 0.1, se: 0.01, n: 8, age: 0 } }, limits).reason,
    "advantage_falling",
  );
});

Deno.test("lesson 12: a sensor that is silent never reads as healthy", () => {
  const silent = { health: healthLike({}), advantage: null, removal: null };
  const training = trained();
  ticks(training, 6, silent);
  assertEquals(training.check({ kind: "advance", slot: "a" }, context)?.reason, "gradient_unmeasured");
  const [{ health, advantage }] = training.observe();
  assert(HEALTH.every((key) => health[key].value === null && advantage === null));
  assertEquals(trained().observe()[1].health.hMean, { value: null, slope: null });
});

Deno.test("lesson 13: what a seed is charged for is what is observed of it", () => {
  const kasmina = trained();
  assertEquals(kasmina.observe().map(({ params, flops }) => [params, flops])[0], [100, 1000]);
});

Deno.test("lesson 14: no action can be repeated for its own sake", () => {
  const kasmina = trained();
  ticks(kasmina, 3);
  kasmina.apply({ kind: "advance", slot: "a" }, context);
  for (const stage of ["BLENDING", "HOLDING"]) {
    assertEquals(kasmina.stageOf("a"), stage);
    assertEquals(kasmina.check({ kind: "advance", slot: "a" }, context)?.reason, "wrong_stage");
    ticks(kasmina, 5);
  }
});

Deno.test("lesson 15: germinating and pruning by turns is barred by an embargo", () => {
  const kasmina = trained();
  ticks(kasmina, 2);
  kasmina.apply({ kind: "prune", slot: "a" }, context);
  for (let tick = 0; tick < 4; tick++) {
    ticks(kasmina, 1);
    assert(
      !legalActions(kasmina, ["conv3"], context).some((action) =>
        action.kind === "germinate" && action.slot === "a"
      ),
    );
  }
});

Deno.test("lesson 18: a seed is not pruned in its first ticks by an action", () => {
  assertEquals(trained().check({ kind: "prune", slot: "a" }, context)?.reason, "too_young");
});

Deno.test("lesson 28: nothing changes that was not checked before", () => {
  const kasmina = slots(), before = kasmina.toJSON();
  const refused = { ...context, governor: "watching" };
  assertThrows(
    () => kasmina.apply({ kind: "germinate", slot: "a", blueprint: "conv3" }, refused),
    Error,
    "kasmina: cannot germinate in a: governor; check first",
  );
  assertEquals(kasmina.toJSON(), before);
});

Deno.test("lesson 31: a saved state holds all that makes a run unique", () => {
  const kasmina = trained();
  ticks(kasmina, 3);
  kasmina.apply({ kind: "advance", slot: "a" }, context);
  ticks(kasmina, 2);
  const copy = slots();
  copy.restore(JSON.parse(JSON.stringify(kasmina)));
  assertEquals([copy.observe(), copy.seedOf("a"), copy.timesOf("a")], [
    kasmina.observe(),
    "a/1",
    kasmina.timesOf("a"),
  ]);
  assertEquals(ticks(copy, 12), ticks(kasmina, 12));
});

Deno.test("lesson 39: the gates stand where the design put them", () => {
  const { gradientRatioMin, gradientRatioMax, lossTolerance, confidence, ...rest } = limits;
  assertEquals([gradientRatioMin, gradientRatioMax, lossTolerance, confidence], [0.01, 100, 0.02, 1.645]);
  assertEquals(rest, {
    minTicksLeft: 12,
    compileTicks: 2,
    trainingTicks: 3,
    trainingLimit: 12,
    advantageBatches: 8,
    lossSigmas: 2,
    freezeTicks: 3,
    holdingTicks: 3,
    holdingLimit: 10,
    removalMeasurements: 3,
    pruneAge: 3,
    blendOutTicks: 2,
    embargoTicks: 3,
    resettingTicks: 1,
  });
});

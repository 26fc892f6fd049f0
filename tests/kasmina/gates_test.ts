import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { GatesConfig } from "../../src/contracts/config.ts";
import {
  type BlendingFacts,
  g0,
  g2,
  g3,
  g4,
  type GerminationFacts,
  type HoldingFacts,
  type TrainingFacts,
} from "../../src/kasmina/gates.ts";
import { TREND_TICKS, trendOf } from "../../src/kasmina/trend.ts";
import { prng } from "../../src/util/prng.ts";

const limits = GatesConfig.parse({});

const germination: GerminationFacts = {
  stage: "DORMANT",
  embargo: 0,
  live: 1,
  maxLive: 2,
  host: { params: 1000, flops: 5000 },
  grown: { params: 300, flops: 3000 },
  paramsBudget: 1.5,
  flopsBudget: 2,
  fit: { fits: true, parameters: 200, flops: 2000 },
  ticksLeft: 12,
  governor: null,
};

Deno.test("g0() passes at its very limits and refuses one step beyond each", () => {
  assertEquals(g0(germination, limits).pass, true);
  const cases: [Partial<GerminationFacts>, string][] = [
    [{ stage: "TRAINING" }, "wrong_stage"],
    [{ embargo: 1 }, "embargo"],
    [{ governor: "watching" }, "governor"],
    [{ live: 2 }, "live_limit"],
    [{ ticksLeft: 11 }, "too_late"],
    [{ fit: { fits: false, reason: "want [H, W, C]" } }, "does_not_fit"],
    [{ fit: { fits: true, parameters: 201, flops: 0 } }, "parameter_budget"],
    [{ fit: { fits: true, parameters: 0, flops: 2001 } }, "flop_budget"],
  ];
  for (const [change, reason] of cases) {
    const verdict = g0({ ...germination, ...change }, limits);
    assertEquals([verdict.pass, verdict.reason], [false, reason]);
  }
});

const training: TrainingFacts = {
  stage: "TRAINING",
  ticksInStage: 3,
  gradNorm: 0.5,
  hostGradNorm: 1,
  advantage: { mean: 0.1, se: 0.05, n: 8 },
};

Deno.test("g2() wants time, measured, finite and sane gradients, and a proven advantage", () => {
  assertEquals(g2(training, limits).pass, true);
  const cases: [Partial<TrainingFacts>, string][] = [
    [{ stage: "HOLDING" }, "wrong_stage"],
    [{ ticksInStage: 2 }, "too_early"],
    [{ gradNorm: null }, "gradient_unmeasured"],
    [{ hostGradNorm: null }, "gradient_unmeasured"],
    [{ gradNorm: NaN }, "gradient_not_finite"],
    [{ gradNorm: Infinity }, "gradient_not_finite"],
    [{ gradNorm: 0.0099 }, "gradient_ratio"],
    [{ gradNorm: 100.1 }, "gradient_ratio"],
    [{ hostGradNorm: 0 }, "gradient_ratio"],
    [{ advantage: null }, "advantage_unmeasured"],
    [{ advantage: { mean: 0.1, se: 0.01, n: 7 } }, "advantage_batches"],
    [{ advantage: { mean: 0.1, se: 0.07, n: 8 } }, "advantage_unproven"],
    [{ advantage: { mean: NaN, se: 0, n: 8 } }, "advantage_unproven"],
  ];
  for (const [change, reason] of cases) {
    const verdict = g2({ ...training, ...change }, limits);
    assertEquals([verdict.pass, verdict.reason], [false, reason]);
  }
});

Deno.test("g2() leaves its numbers as evidence, those that are not finite as text", () => {
  assertEquals(g2({ ...training, gradNorm: NaN }, limits).evidence, {
    ticksInStage: 3,
    gradNorm: "NaN",
    gradientRatio: "NaN",
    advantage: 0.1,
    se: 0.05,
    batches: 8,
    lowerBound: 0.1 - 1.645 * 0.05,
  });
});

const blending: BlendingFacts = {
  alpha: 1,
  controlLoss: { mean: 1.03, se: 0.01, n: 8 },
  anchor: { mean: 1, se: 0.01 },
};

Deno.test("g3() wants alpha 1 and a control loss within 2 % and two standard errors of its start", () => {
  assertEquals(g3(blending, limits).pass, true);
  const cases: [Partial<BlendingFacts>, string][] = [
    [{ alpha: 0.999 }, "alpha_below_one"],
    [{ controlLoss: null }, "loss_unmeasured"],
    [{ anchor: null }, "loss_unmeasured"],
    [{ controlLoss: { mean: 1.041, se: 0.01, n: 8 } }, "loss_regressed"],
    [{ controlLoss: { mean: NaN, se: 0.01, n: 8 } }, "loss_regressed"],
  ];
  for (const [change, reason] of cases) {
    const verdict = g3({ ...blending, ...change }, limits);
    assertEquals([verdict.pass, verdict.reason], [false, reason]);
  }
});

const holding: HoldingFacts = {
  stage: "HOLDING",
  ticksInStage: 3,
  removal: { mean: 0.2, se: 0.05, n: 8, age: 0 },
  removalPasses: 3,
  trend: { slope: -0.02, se: 0.02 },
};

Deno.test("g4() wants three fresh removal costs above 0 that do not fall", () => {
  assertEquals(g4(holding, limits).pass, true);
  const cases: [Partial<HoldingFacts>, string][] = [
    [{ stage: "BLENDING" }, "wrong_stage"],
    [{ ticksInStage: 2 }, "too_early"],
    [{ removal: null }, "removal_unmeasured"],
    [{ removal: { mean: 0.2, se: 0.05, n: 8, age: 4 } }, "removal_stale"],
    [{ removal: { mean: 0.2, se: 0.2, n: 8, age: 0 } }, "removal_unproven"],
    [{ removalPasses: 2 }, "removal_unproven"],
    [{ trend: { slope: -0.04, se: 0.02 } }, "advantage_falling"],
    [{ trend: null }, "advantage_falling"],
  ];
  for (const [change, reason] of cases) {
    const verdict = g4({ ...holding, ...change }, limits);
    assertEquals([verdict.pass, verdict.reason], [false, reason]);
  }
});

/** Whether the gate opens at any tick of a hold in which these removal costs are measured, one a tick. */
function opens(costs: readonly number[], se: number): boolean {
  return costs.some((mean, k) => {
    const from = Math.max(0, k + 1 - TREND_TICKS);
    const means = costs.slice(from, k + 1);
    const removal = { mean, se, n: 8, age: 0 };
    const trend = trendOf(means, means.map(() => se));
    return g4({ ...holding, ticksInStage: k + 1, removalPasses: k + 1, removal, trend }, limits).pass;
  });
}

Deno.test("g4() takes a single removal cost for no slope, also where no confidence is asked for", () => {
  const bold = { ...limits, confidence: 0 };
  assertEquals(g4({ ...holding, trend: { slope: 0, se: Infinity } }, bold).reason, null);
});

Deno.test("g4() lets a useful seed through in its time, however lucky its first measurement was", () => {
  const noise = fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 10, maxLength: 10 });
  fc.assert(fc.property(noise, fc.double({ min: 0, max: 50, noNaN: true }), (errors, luck) => {
    const costs = errors.map((error, k) => 5 + error + (k === 0 ? luck : 0));
    assert(opens(costs, 1), `${costs}`);
  }));
});

Deno.test("g4() keeps out a seed that is missed less from tick to tick, however it scatters about that", () => {
  const noise = fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 10, maxLength: 10 });
  fc.assert(fc.property(noise, fc.double({ min: 2.5, max: 20, noNaN: true }), (errors, fall) => {
    const costs = errors.map((error, k) => 300 + error - fall * k);
    assert(!opens(costs, 1), `${costs}`);
  }));
});

Deno.test("g4() refuses a seed that does not fall in one tick of twenty at most, and none for all of its time", () => {
  const random = prng(1, "removal costs");
  const holds = 1000, length = limits.holdingLimit;
  let refused = 0, lost = 0, looked = 0;
  for (let hold = 0; hold < holds; hold++) {
    const costs = Array.from({ length }, () => 10 + random.normal());
    for (let ticks = 3; ticks <= length; ticks++) {
      const seen = costs.slice(Math.max(0, ticks - TREND_TICKS), ticks);
      const { slope, se } = trendOf(seen, seen.map(() => 1))!;
      if (slope + limits.confidence * se < 0) refused++;
      looked++;
    }
    if (!opens(costs, 1)) lost++;
  }
  assert(refused / looked < 0.05, `refused ${refused} of ${looked}`);
  assertEquals(lost, 0);
});

import { assert, assertAlmostEquals } from "@std/assert";
import { RunConfig } from "../../src/contracts/config.ts";
import { learningRate } from "../../src/engine/optim/schedule.ts";
import { bestGain, gainOf, hostLoss, jointGain } from "../../src/tamiyo/simulator/effects.ts";
import { leastSquares } from "../../src/tamiyo/simulator/least_squares.ts";
import { rateIntegral } from "../../src/tamiyo/simulator/terms.ts";

Deno.test("hostLoss() falls as a power law to its floor, plus what the learning rate adds", () => {
  const curve = { floor: 1, gap: 0.8, scale: 0.1, power: 0.5, ripple: 0.2 };
  assertAlmostEquals(hostLoss(curve, 0, 0), 1.8, 1e-12);
  assertAlmostEquals(hostLoss(curve, 0.3, 0.5), 1 + 0.8 * 4 ** -0.5 + 0.1, 1e-12);
});

Deno.test("seeds gain less the more there are, do harm in full, and may wear what they gained", () => {
  const seed = { gain: 0.2, pace: 0.1, wear: 0 };
  assertAlmostEquals(gainOf(seed, 0.1), 0.2 * (1 - Math.exp(-1)), 1e-12);
  assertAlmostEquals(jointGain(0.5, 0.5), 0.5 * (1 - Math.exp(-1)), 1e-12);
  assert(jointGain(0.2, 0.5) + jointGain(0.2, 0.5) > jointGain(0.4, 0.5));
  assertAlmostEquals(jointGain(-0.3, 0.5), -0.3, 1e-12);
  const worn = { ...seed, wear: 0.5 };
  assert(gainOf(worn, 0.15) > gainOf(worn, 0.6));
});

Deno.test("bestGain() is the most on the way", () => {
  for (const gain of [-0.2, 0, 0.2]) {
    for (const wear of [0, 0.4, 3]) {
      const effect = { gain, pace: 0.1, wear };
      for (const [from, to] of [[0, 0.5], [0.2, 0.3], [0, 0.02]]) {
        const way = Array.from({ length: 1001 }, (_, k) => gainOf(effect, from + (to - from) * k / 1000));
        assertAlmostEquals(bestGain(effect, from, to), Math.max(...way), 1e-6);
        assert(bestGain(effect, from, to) >= Math.max(...way) - 1e-15);
      }
    }
  }
});

Deno.test("rateIntegral() is the integral of the learning rate that runs have", () => {
  const rate = { peak: 1, warmup: 0.1, final: 0.05 }, n = 20_000;
  let sum = 0;
  for (let k = 0; k < n; k++) {
    sum += learningRate((k + 0.5) / n, rate) / n;
    if ((k + 1) % 4000 === 0) assertAlmostEquals(rateIntegral((k + 1) / n, rate), sum, 1e-5);
  }
});

Deno.test("leastSquares() finds the parameters of a curve", () => {
  const at = Array.from({ length: 30 }, (_, k) => k / 10);
  const curve = ([a, b, c]: readonly number[]) => at.map((x) => a + b * Math.exp(-c * x));
  const want = [0.5, 2, 1.3], seen = curve(want);
  const found = leastSquares((p) => curve(p).map((value, k) => value - seen[k]), [0, 1, 0.3]);
  for (const [k, value] of want.entries()) assertAlmostEquals(found[k], value, 1e-4);
});

Deno.test("a run's configuration has the learning rate that the simulator integrates", () => {
  const { train } = RunConfig.parse({
    data: { kind: "cifar10" },
    host: { kind: "cnn" },
    train: { budgetGflop: 1 },
  });
  assertAlmostEquals(rateIntegral(1, { ...train.learningRate, warmup: 0, final: 0 }), 0.5, 1e-12);
});

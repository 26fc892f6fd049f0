import { assertAlmostEquals, assertEquals } from "@std/assert";
import { RewardConfig } from "../../src/contracts/reward.ts";
import { createReward, netAdvantage, TwinCurve } from "../../src/tamiyo/mod.ts";

const twin = TwinCurve.parse({ version: 1, flops: [10, 20, 30], losses: [2, 1, 0.5], final: 0.4 });
const rent = { params: 0.1, flops: 0.2 };
const outcome = { loss: 0.3, without: 0.9, params: 0.5, flops: 0.25 };

/** All that a run is paid: its standings at ticks, then its outcome. */
function payments(
  mode: "twin" | "sparse" | "removal",
  standings: readonly [number, number][],
  end = outcome,
) {
  const reward = createReward(RewardConfig.parse({ mode, rent }), twin);
  return [...standings.map(([flops, loss]) => reward.atTick({ flops, loss })), reward.atEnd(end)];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

Deno.test("lesson 16, a bonus that lands on the last action: the change of the advantage is paid as it comes, settled at the end less rent", () => {
  // At 15 FLOPs the twin is half-way from 2 to 1; beyond its ends it stays as it is.
  const paid = payments("twin", [[5, 2], [15, 1.4], [25, 0.9], [40, 0.4]]);
  const advantages = [0, 0.1, -0.15, 0.1];
  for (const [k, value] of advantages.entries()) {
    assertAlmostEquals(paid[k], value - (advantages[k - 1] ?? 0), 1e-12);
  }
  assertAlmostEquals(sum(paid), 0.4 - 0.3 - 0.1 * 0.5 - 0.2 * 0.25, 1e-12);
});

Deno.test("progress that the host makes anyway earns nothing, whenever a seed is sown and however steep the curve", () => {
  const untouched = { ...outcome, loss: 0.4, params: 0, flops: 0 };
  assertEquals(payments("twin", [[10, 2], [20, 1], [30, 0.5]], untouched), [0, 0, 0, 0]);
});

Deno.test("sparse pays the same in the end, and nothing before", () => {
  const paid = payments("sparse", [[15, 1.4], [30, 0.1]]);
  assertEquals(paid.slice(0, 2), [0, 0]);
  assertAlmostEquals(paid[2], 0, 1e-12);
});

Deno.test("removal pays what the loss rises by without the fossils, and so a useless seed that the host leans on", () => {
  const parasite = { loss: 0.4, without: 0.9, params: 0.5, flops: 0.25 };
  assertAlmostEquals(sum(payments("removal", [[15, 1.4]], parasite)), 0.5 - 0.1, 1e-12);
  assertAlmostEquals(sum(payments("twin", [[15, 1.4]], parasite)), -0.1, 1e-12);
  assertAlmostEquals(netAdvantage(parasite, twin, rent), -0.1, 1e-12);
});

Deno.test("lesson 25, penalties upon penalties: the way there changes nothing of what a run is paid in all", () => {
  const straight = sum(payments("twin", [[10, 2], [30, 0.5]]));
  const churned = sum(payments("twin", [[10, 2], [12, 5], [14, 0.1], [14, 7], [30, 0.5]]));
  assertAlmostEquals(straight, churned, 1e-12);
});

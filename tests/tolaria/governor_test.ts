import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { RunConfig } from "../../src/contracts/config.ts";
import { Governor, type GovernorState, type VitalSigns } from "../../src/tolaria/governor.ts";

type Limits = RunConfig["governor"];

/** The default limits, with the given differences. */
function limits(changes: Partial<Limits> = {}): Limits {
  const { governor } = RunConfig.parse({
    data: { kind: "digits" },
    host: { kind: "cnn" },
    train: { budgetGflop: 1 },
  });
  return { ...governor, ...changes };
}

/** Classes at which a loss of 1 is near chance, so that a rise is no collapse. */
const FEW = 3;

/** A governor that has seen `steps` quiet steps. */
function calm(steps: number, changes: Partial<Limits> = {}, classes = FEW): Governor {
  const governor = new Governor(limits(changes), classes);
  for (let k = 0; k < steps; k++) {
    assertEquals(governor.observe({ loss: 1 + 0.01 * (k % 3), gradNorm: 1 }), null);
  }
  return governor;
}

for (const loss of [NaN, Infinity, -Infinity]) {
  Deno.test(`Governor raises the alarm at once at a loss of ${loss}, even on the first step`, () => {
    const want = { diagnosis: "not_finite" as const, value: loss, limit: Infinity };
    assertEquals(new Governor(limits(), 10).observe({ loss, gradNorm: 1 }), want);
    assertEquals(calm(30).observe({ loss, gradNorm: NaN }), want);
  });
}

Deno.test("Governor raises the alarm at once at a gradient that is not finite, and names its value", () => {
  const alarm = calm(3).observe({ loss: 1, gradNorm: Infinity });
  assertEquals(alarm, { diagnosis: "not_finite", value: Infinity, limit: Infinity });
});

Deno.test("Governor takes one loss spike for noise and the second within its window for a breakdown", () => {
  const governor = calm(20);
  assertEquals(governor.observe({ loss: 3.1, gradNorm: 1 }), null);
  // Losses as they were, 18 of them: the second spike is the 20th reading from the first on.
  for (let k = 0; k < 18; k++) assertEquals(governor.observe({ loss: 1, gradNorm: 1 }), null);
  const alarm = governor.observe({ loss: 3.1, gradNorm: 1 });
  assertEquals([alarm?.diagnosis, alarm?.value], ["loss_spike", 3.1]);
  assert(alarm!.limit > 3 && alarm!.limit < 3.1, `limit ${alarm!.limit}`);
});

Deno.test("Governor forgets a spike once its window has passed it, and keeps it out of mean and median", () => {
  const governor = calm(20);
  for (let k = 0; k < 5; k++) {
    assertEquals(governor.observe({ loss: 3.5, gradNorm: 1 }), null);
    for (let quiet = 0; quiet < 19; quiet++) {
      assertEquals(governor.observe({ loss: 1, gradNorm: 1 }), null);
    }
  }
  assert(governor.save().losses.every((loss) => loss < 2));
});

Deno.test("Governor wants a spike above the ratio and above the deviations", () => {
  // Losses from 0.2 to 2: mean 1.1, median absolute deviation 0.45, so that 6 of them reach beyond 3 times the mean.
  const governor = new Governor(limits(), FEW);
  for (let k = 0; k < 20; k++) governor.observe({ loss: 0.2 + 1.8 * (k % 5) / 4, gradNorm: 1 });
  for (let k = 0; k < 3; k++) assertEquals(governor.observe({ loss: 3.6, gradNorm: 1 }), null);
  assertEquals(governor.observe({ loss: 6, gradNorm: 1 }), null);
  assertEquals(governor.observe({ loss: 6, gradNorm: 1 })?.diagnosis, "loss_spike");
});

Deno.test("Governor raises the alarm at a gradient far above its median", () => {
  const governor = calm(20);
  assertEquals(governor.observe({ loss: 1, gradNorm: 20 }), null);
  const alarm = governor.observe({ loss: 1, gradNorm: 20.1 });
  assertEquals(alarm, { diagnosis: "gradient_explosion", value: 20.1, limit: 20 });
});

Deno.test("Governor knows no explosion from a network that had no gradient", () => {
  const governor = new Governor(limits(), FEW);
  for (let k = 0; k < 20; k++) governor.observe({ loss: 1, gradNorm: 0 });
  for (let k = 0; k < 2; k++) assertEquals(governor.observe({ loss: 1, gradNorm: 5 }), null);
});

Deno.test("Governor sees a network that was well below chance fall back to it and stay", () => {
  const chance = Math.log(10);
  const governor = calm(20, { lossRatio: 100 }, 10);
  assertEquals(governor.observe({ loss: 0.94 * chance, gradNorm: 1 }), null);
  assertEquals(governor.observe({ loss: 0.96 * chance, gradNorm: 1 }), null);
  const alarm = governor.observe({ loss: 0.96 * chance, gradNorm: 1 });
  assertEquals(alarm, { diagnosis: "collapse", value: 0.96 * chance, limit: 0.95 * chance });
});

Deno.test("lesson 38, detectors that fire on the control: Governor lets a network that never left chance stay there", () => {
  const governor = new Governor(limits(), 10);
  for (let k = 0; k < 50; k++) assertEquals(governor.observe({ loss: 2.31, gradNorm: 1 }), null);
});

Deno.test("Governor judges no spike before it has readings enough", () => {
  const governor = calm(8, { minReadings: 10 });
  for (const loss of [50, 50]) assertEquals(governor.observe({ loss, gradNorm: 1 }), null);
});

Deno.test("Governor keeps the newest readings of its window", () => {
  const governor = new Governor(limits({ window: 4, minReadings: 2 }), 10);
  for (const loss of [1, 1.1, 1.2, 1.3, 1.4, 1.5]) governor.observe({ loss, gradNorm: loss });
  const { losses, gradients } = governor.save();
  assertEquals([losses, gradients], [[1.2, 1.3, 1.4, 1.5], [1.2, 1.3, 1.4, 1.5]]);
});

Deno.test("Governor counts rollbacks, forgets what led to them, and is exhausted at the last", () => {
  const governor = calm(20, { maxRollbacks: 2 });
  governor.rolledBack();
  assertEquals([governor.rollbacks, governor.exhausted], [1, false]);
  assertEquals(governor.save(), { losses: [], gradients: [], signs: [], rollbacks: 1 });
  governor.rolledBack();
  assertEquals([governor.rollbacks, governor.exhausted], [2, true]);
});

Deno.test("Governor judgeControl() minds a broken number only", () => {
  const governor = calm(20);
  assertEquals(governor.judgeControl(1e9), null);
  assertEquals(governor.judgeControl(NaN), { diagnosis: "not_finite", value: NaN, limit: Infinity });
});

Deno.test("Governor that is disabled never raises the alarm", () => {
  const governor = calm(20, { enabled: false });
  for (const loss of [NaN, 1e9, 1e9]) assertEquals(governor.observe({ loss, gradNorm: NaN }), null);
  assertEquals(governor.judgeControl(NaN), null);
});

const number = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: 0, max: 3, noNaN: true }) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1000 }) },
);
const signs = fc.array(fc.record({ loss: number, gradNorm: number }), { maxLength: 60 });

Deno.test("Governor restored from JSON goes on exactly as if nothing had happened", () => {
  fc.assert(fc.property(signs, signs, fc.integer({ min: 2, max: 12 }), (before, after, window) => {
    const configured = limits({ window, minReadings: 3 });
    const straight = new Governor(configured, 4), resumed = new Governor(configured, 4);
    const live = (governor: Governor, sign: VitalSigns) => {
      const alarm = governor.observe(sign);
      if (alarm) governor.rolledBack();
      return alarm;
    };
    for (const sign of before) live(straight, sign);
    resumed.restore(JSON.parse(JSON.stringify(straight.save())) as GovernorState);
    for (const sign of after) assertEquals(live(resumed, sign), live(straight, sign));
    assertEquals(resumed.save(), straight.save());
  }));
});

Deno.test("Governor takes jumps of a loss near zero for what they are", () => {
  const low = (loss: number, gradNorm: number) => {
    const governor = new Governor(limits(), FEW);
    for (let k = 0; k < 20; k++) governor.observe({ loss: 0.01, gradNorm: 0.1 });
    for (let k = 0; k < 4; k++) governor.observe({ loss: 0.2, gradNorm: 0.1 });
    return governor.observe({ loss, gradNorm });
  };
  assertEquals(low(0.2, 50), null);
  // One example of a small batch: the average of the last four readings is below a quarter of chance.
  assertEquals(low(0.4, 50), null);
  assertEquals(low(0.6, 50)?.diagnosis, "gradient_explosion");
});

Deno.test("Governor sees a network break down that was all but perfect, at once and at the second reading", () => {
  const chance = Math.log(FEW);
  for (const [loss, diagnosis] of [[chance, "loss_spike"], [20, "loss_spike"]] as const) {
    const governor = new Governor(limits(), FEW);
    for (let k = 0; k < 30; k++) assertEquals(governor.observe({ loss: 0.02, gradNorm: 1 }), null);
    assertEquals(governor.observe({ loss, gradNorm: 1 }), null);
    assertEquals(governor.observe({ loss, gradNorm: 1 })?.diagnosis, diagnosis);
  }
});

import type { Measurement } from "../../contracts/control.ts";
import type { Lifecycle, SlotMeasurement } from "../../contracts/growth.ts";
import { TIMES } from "../../contracts/health.ts";
import type { Prng } from "../../util/prng.ts";
import type { Effects } from "./effects.ts";
import type { Plot, Terms } from "./terms.ts";
import { gainAt, lossOf, type World } from "./world.ts";

interface Scene {
  readonly terms: Terms;
  readonly effects: Effects;
  readonly world: World;
  readonly running: Plot;
  readonly lifecycle: Lifecycle;
  /** Null: everything is measured exactly. */
  readonly random: Prng | null;
}

/** Relative spread of norms and moments from tick to tick. */
const SPREAD = 0.15;

const UNTIMED = Object.fromEntries(TIMES.map((key) => [key, null])) as SlotMeasurement["times"];

/** What the end of a tick would find out: the same quantities as in a real run, absent where they are absent there. */
export function measureTick(scene: Scene): {
  present: Measurement;
  slots: Record<string, SlotMeasurement>;
} {
  const { terms, effects: { noise }, lifecycle, random } = scene;
  const n = terms.config.loop.controlBatches;
  const draw = (mean: number, se: number): Measurement => ({
    mean: mean + (random?.normal() ?? 0) * se,
    se,
    n,
  });
  const lossWith = (slot: string | null, alpha: number) =>
    lossOf(
      terms,
      scene.effects,
      scene.world,
      scene.running,
      (other) => other === slot ? alpha : lifecycle.alphaAt(other, 1),
    );
  const present = lossWith(null, 0);
  const paired = (gain: number) => draw(gain, noise.paired + noise.share * Math.abs(gain));
  const measured = draw(present, noise.loss);
  const slots = Object.fromEntries(
    lifecycle.observe().map(({ slot }) => {
      const planted = scene.running[slot], stage = lifecycle.stageOf(slot);
      const incubates = planted !== undefined && planted.mode !== "blend" && planted.mode !== "fossil";
      const switchable = planted?.mode === "blend" && lifecycle.alphaAt(slot, 1) === 1 &&
        !lifecycle.frozen(slot);
      const removal = switchable ? paired(lossWith(slot, 0) - present) : null;
      const trial = incubates ? paired(present - lossWith(slot, 1)) : null;
      return [slot, {
        ready: planted !== undefined && planted.mode !== "fossil",
        released: planted === undefined,
        parameters: planted ? terms.candidates[slot][planted.blueprint].params : null,
        updates: planted ? stage === "GERMINATED" ? 0 : 1 : null,
        health: healthOf(scene, slot),
        times: UNTIMED,
        advantage: trial ?? (stage === "TRAINING" ? removal : null),
        removal: stage === "HOLDING" ? removal : null,
      }];
    }),
  );
  return { present: measured, slots };
}

/** Signs of life: those of the host as they typically are, those of a seed as far as it has learned. */
function healthOf(scene: Scene, slot: string): SlotMeasurement["health"] {
  const { effects, running, random } = scene;
  const spread = () => Math.exp(SPREAD * (random?.normal() ?? 0));
  const signals = effects.signals[slot], planted = running[slot];
  const learns = planted && planted.mode !== "fossil";
  const strength = planted ? Math.abs(gainAt(effects, scene.world, slot, planted.blueprint)) : 0;
  const hostGradNorm = signals.hostGradNorm * spread(), hVariance = signals.hVariance * spread();
  return {
    hMean: signals.hMean * spread(),
    hVariance,
    hDead: signals.hDead,
    deltaMean: planted ? 0 : null,
    deltaVariance: planted ? hVariance * strength : null,
    deltaDead: planted ? 0 : null,
    gradNorm: learns ? hostGradNorm * signals.gradRatio * spread() : null,
    hostGradNorm,
  };
}

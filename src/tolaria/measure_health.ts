import type { HealthQuantity } from "../contracts/health.ts";
import { readFloats } from "../engine/gpu/readback.ts";
import { queued } from "./assembly.ts";
import { alphaValues } from "./evaluator.ts";
import { incubates, seedsWith } from "./growable.ts";
import { OF_DELTA, OF_H } from "./health.ts";
import type { Trainer } from "./trainer.ts";

export type ActivationHealth = Partial<Record<HealthQuantity, number>>;

/** Looks at all slots on the first of this tick's control batches, by slot. */
export async function measureHealth(trainer: Trainer): Promise<Readonly<Record<string, ActivationHealth>>> {
  const { parts: { gpu, model, examples, config }, assembly: { health }, ledger, progress } = trainer;
  if (!health) return {};
  const { batch } = config.train, { count } = examples.parts.control;
  const from = (progress.tick * config.loop.controlBatches * batch) % count;
  const positions = Uint32Array.from({ length: batch }, (_, i) => (from + i) % count);
  trainer.evaluator.queue.submit([queued(health, {
    ...examples.stepValues("control", positions, 0, 0),
    ...alphaValues(trainer.alphas(1)),
  })]);
  ledger.charge("evaluation", health.settledFlops);
  ledger.charge("incubation", health.program.flops - health.settledFlops);
  const seeds = Object.keys({
    ...seedsWith(health.topology, (mode) => !incubates(mode)),
    ...health.topology,
  });
  const row = await readFloats(gpu, health.program.outputs.row, 3 * (model.slots.length + seeds.length));
  const named = (names: readonly HealthQuantity[], at: number): ActivationHealth =>
    Object.fromEntries(names.map((name, k) => [name, row[3 * at + k]]));
  return Object.fromEntries(model.slots.map((slot, at) => {
    const seed = seeds.indexOf(slot);
    return [slot, {
      ...named(OF_H, at),
      ...seed >= 0 && named(OF_DELTA, model.slots.length + seed),
    }];
  }));
}

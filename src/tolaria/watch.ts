import { LEAST_LOSS_SCALE } from "../engine/optim/loss_scale.ts";
import { MAX_GROUPS } from "../engine/optim/parameter_store.ts";
import { learningRate } from "../engine/optim/schedule.ts";
import type { Alarm } from "./governor.ts";
import { seedsWith } from "./growable.ts";
import type { Trainer } from "./trainer.ts";

/** Looks at rows of the metrics ring step by step: an alarm ends that. Publishes their means otherwise. */
export async function watch(trainer: Trainer, rows: readonly Float32Array[]): Promise<Alarm | null> {
  if (rows.length === 0) return null;
  for (const row of rows) {
    const alarm = examine(trainer, row);
    if (alarm) return alarm;
  }
  const { config, bus } = trainer.parts;
  const average = (column: number) => rows.reduce((sum, row) => sum + row[column], 0) / rows.length;
  await bus.publish("step.metrics", {
    step: trainer.progress.step,
    loss: average(0),
    accuracy: average(1),
    learningRate: learningRate(trainer.ledger.clock, config.train.learningRate),
    imagesPerSecond: trainer.speedometer.read(trainer.progress.step) * config.train.batch,
    flops: trainer.ledger.total,
    ...scalingOf(trainer, rows.at(-1)!),
  });
  return null;
}

/** Loss scale and skipped updates as a row tells them; nothing where losses are not scaled. */
function scalingOf({ parts: { optimizer, config } }: Trainer, row: Float32Array) {
  if (!optimizer.lossScale) return {};
  const [lossScale, , skippedUpdates] = row.subarray(2 + config.growth.maxLive + MAX_GROUPS);
  return { lossScale, skippedUpdates };
}

function examine(trainer: Trainer, row: Float32Array): Alarm | null {
  const { parts: { store, config, optimizer }, progress, assembly, governor } = trainer;
  const columns = 2 + config.growth.maxLive;
  const scales = optimizer.lossScale ? row.subarray(columns + MAX_GROUPS) : [0, 0];
  // A gradient that overflows because the loss was scaled too far: the update was skipped, and the scale is halved.
  const overflows = (norm: number, shadow: boolean) =>
    !Number.isFinite(norm) && Number.isFinite(row[0]) && scales[Number(shadow)] > LEAST_LOSS_SCALE;
  const shadows = Object.values(seedsWith(assembly.topology, (mode) => mode === "shadow"))
    .map(({ seed }) => `seed/${seed}`);
  const shadowed = progress.seen++ % config.growth.shadowEvery === 0;
  progress.losses.push(row[0]);
  let gradNorm = 0, skipped = false;
  for (const [index, group] of store.groups.entries()) {
    // What stands there between two shadow passes is left over from an earlier one.
    if (group === null || (shadows.includes(group) && !shadowed)) continue;
    const norm = row[columns + index];
    const shadow = shadows.includes(group);
    if (overflows(norm, shadow)) {
      skipped ||= !shadow;
      continue;
    }
    progress.norms[group] = norm;
    // A seed in the shadow cannot harm the host; its own gate judges its gradient. A NaN stays the largest.
    if (!shadow && !Number.isNaN(gradNorm) && !(norm <= gradNorm)) gradNorm = norm;
  }
  return skipped ? null : governor.observe({ loss: row[0], gradNorm });
}

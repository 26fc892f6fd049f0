import { UserError } from "../util/errors.ts";
import type { Alarm } from "./governor.ts";
import { modeOf } from "./growable.ts";
import { callHooks } from "./hooks.ts";
import type { Trainer } from "./trainer.ts";

/** Goes back to the last trusted state and prunes the seeds that may be to blame. */
export async function rollBack(trainer: Trainer, alarm: Alarm): Promise<void> {
  const { parts: { lifecycle, bus, config }, governor, ledger } = trainer;
  const { tick, step, detours } = trainer.progress;
  if (governor.rollbacks > config.governor.maxRollbacks) {
    throw new UserError(
      `training: ${alarm.diagnosis} at step ${step} (${alarm.value}, limit ${alarm.limit}) after ` +
        `${governor.rollbacks} rollbacks; lower train.learningRate.peak or set train.optimizer.clip`,
    );
  }
  const suspects = suspectsOf(trainer);
  governor.rolledBack();
  // What was learnt and spent is not undone.
  const trust = governor.save(), spent = ledger.save();
  const { progress: restored } = await trainer.revert();
  governor.restore(trust);
  ledger.restore(spent);
  // With nobody to prune, the same batches would end the same way.
  trainer.progress.detours = suspects.length > 0 ? detours : detours + 1;
  const clock = { tick: restored.tick, step: restored.step };
  const edges = suspects.flatMap((slot) => lifecycle.condemn(slot, clock, alarm.diagnosis));
  await bus.publish("governor.rollback", {
    tick,
    step,
    reason: `${alarm.diagnosis}: ${alarm.value} (limit ${alarm.limit})`,
    restoredStep: clock.step,
    slots: suspects,
    rollbacks: governor.rollbacks,
  });
  await trainer.publishEdges(edges);
  trainer.speedometer.restart(clock.step);
  trainer.stepTimes.restart(clock.step);
  await trainer.swap(await trainer.assembler.get(trainer.topology));
  trainer.prepare();
  trainer.bless();
  await callHooks(trainer.hooks, "onRollback", alarm);
}

/** Live seeds that changed within the watch window; where none did, all that are alive. */
function suspectsOf({ parts: { lifecycle, config } }: Trainer): string[] {
  const live = lifecycle.observe().filter(({ stage }) => {
    const mode = modeOf(stage, config.growth.incubation);
    return mode !== null && mode !== "fossil";
  });
  const recent = live.filter(({ ticksInStage }) => ticksInStage < config.governor.watchTicks);
  return (recent.length > 0 ? recent : live).map(({ slot }) => slot);
}

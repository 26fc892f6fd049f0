import type { RunConfig } from "../contracts/config.ts";
import type { QueuedStep } from "../engine/compile/step_queue.ts";
import { batchIndices } from "../engine/data/order.ts";
import { learningRate } from "../engine/optim/schedule.ts";
import { queued, UNTRAINED } from "./assembly.ts";
import { alphaValues } from "./evaluator.ts";
import { seedsWith, type Topology } from "./growable.ts";
import type { Trainer } from "./trainer.ts";

/** The next step of a run: which program, which examples, α and learning rates. It counts as taken, and as paid. */
export function nextStep(trainer: Trainer): QueuedStep {
  const { parts: { examples, config, optimizer }, progress, assembly, ledger } = trainer;
  const shadow = progress.step % config.growth.shadowEvery === 0 ? assembly.shadow : null;
  const { batch } = config.train;
  const order = (config.seed + progress.detours) >>> 0;
  const positions = batchIndices(order, progress.step, batch, examples.parts.train.count);
  const updates = updatesOf(trainer, shadow !== null);
  const values = {
    ...examples.stepValues("train", positions, order, progress.step),
    ...alphaValues(trainer.alphas(progress.stepInTick / config.loop.tickSteps)),
    ...optimizer.stepValues(updates),
    ...trainer.assembler.trainRing.next(),
  };
  ledger.charge("host", assembly.train.program.flops);
  if (shadow) ledger.charge("incubation", shadow.program.flops - assembly.train.program.flops);
  for (const [group, { apart }] of Object.entries(updates)) {
    ledger.charge(apart ? "incubation" : "host", optimizer.flops(group));
  }
  progress.step++;
  progress.stepInTick++;
  return queued(shadow ?? assembly.train, { ...values, ...meetingOf(trainer, Object.keys(updates)) });
}

/** What slow weights, and with them running averages, take in at the step just taken: the last one is a meeting, too. */
function meetingOf(trainer: Trainer, updated: readonly string[]): Record<string, Float32Array> {
  const { parts: { config: { train: { optimizer } }, lookahead, store }, ledger, progress } = trainer;
  if (!lookahead || optimizer.kind !== "sgd" || !optimizer.lookahead) return {};
  const { every, keep } = optimizer.lookahead;
  if (progress.step % every !== 0 && !trainer.finished) return lookahead.stepValues({});
  const host = store.groups.filter((group): group is string => group?.startsWith("host") ?? false);
  const groups = [...new Set([...host, ...updated, UNTRAINED])], share = 1 - keep * ledger.clock ** 3;
  for (const group of groups) ledger.charge("host", lookahead.flops(group));
  return lookahead.stepValues(Object.fromEntries(groups.map((group) => [group, share])));
}

/** Learning rate of a seed at one of its updates, the first being 1, as a multiple of the host's. */
function newbornRate({ rateRatio, rateWarmup }: RunConfig["growth"], updates: number): number {
  return rateRatio * Math.min(1, updates / (rateWarmup ?? 1));
}

const groupsOf = (topology: Topology) => new Set(Object.values(topology).map(({ seed }) => `seed/${seed}`));

/**
 * Which groups are updated in a step, and how. Frozen seeds, parts of the host whose epochs are over, and, out of shadow
 * steps, incubating seeds are not.
 */
function updatesOf({ parts, assembly, ledger, progress }: Trainer, shadow: boolean) {
  const { config, examples, store, lifecycle } = parts;
  const { weightDecay, clip } = config.train.optimizer;
  const rate = learningRate(ledger.clock, config.train.learningRate);
  const epochs = progress.step * config.train.batch / examples.parts.train.count;
  const resting = new Set([
    ...Object.entries(assembly.topology)
      .filter(([slot, { mode }]) => lifecycle.frozen(slot) || (mode === "shadow" && !shadow))
      .map(([, { seed }]) => `seed/${seed}`),
    ...(config.train.freeze ?? []).filter((rule) => epochs >= rule.epochs).map(({ part }) => `host/${part}`),
  ]);
  const planted = groupsOf(assembly.topology);
  const shadows = groupsOf(seedsWith(assembly.topology, (mode) => mode === "shadow"));
  const active = store.groups.filter((group): group is string =>
    group !== null && !resting.has(group) && (group.startsWith("host") || planted.has(group))
  );
  return Object.fromEntries(active.map((group) => {
    const updates = (progress.updates[group] ?? 0) + 1;
    progress.updates[group] = updates;
    return [group, {
      learningRate: group.startsWith("seed/") ? rate * newbornRate(config.growth, updates) : rate,
      weightDecay,
      clip,
      // How many slots the host has must not change how it is clipped.
      ...group.startsWith("host") && { together: "host" },
      updates,
      apart: shadows.has(group),
    }];
  }));
}

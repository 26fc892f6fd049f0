import type { Action, Decision, Measurement, Observation } from "../contracts/control.ts";
import type { Payloads } from "../contracts/events.ts";
import type { Edge } from "../contracts/lifecycle.ts";
import type { ActionContext, SlotMeasurement } from "../contracts/growth.ts";
import { HEALTH } from "../contracts/health.ts";
import { closingActions } from "./closing.ts";
import { type Candidate, type Evaluation, measure } from "./evaluator.ts";
import { callHooks } from "./hooks.ts";
import { type ActivationHealth, measureHealth } from "./measure_health.ts";
import { rollBack } from "./rollback.ts";
import type { Trainer } from "./trainer.ts";

/**
 * Ends a tick: swap in what was built, evaluate on control, check the vital signs, move the lifecycle, let the
 * controller decide, trust the state, and build what that calls for while training goes on.
 */
export async function endTick(trainer: Trainer): Promise<void> {
  const { lifecycle, bus } = trainer.parts;
  const ran = trainer.assembly.topology, stepTime = trainer.stepTimes.settle(ran);
  await adoptBuilt(trainer);
  const [health, control] = await Promise.all([measureHealth(trainer), evaluateControl(trainer)]);
  const { progress } = trainer;
  const alarm = trainer.governor.judgeControl(control.present.loss);
  if (alarm) {
    await rollBack(trainer, alarm);
    return;
  }
  progress.tick++;
  progress.stepInTick = 0;
  progress.controlHistory.push(control.present.loss);
  const trainLoss = progress.losses.length > 0 ? measure(progress.losses).mean : null;
  progress.losses = [];
  const clock = { tick: progress.tick, step: progress.step };
  const edges = lifecycle.onTick({
    ...clock,
    controlLoss: measure(control.present.losses),
    slots: Object.fromEntries(
      trainer.parts.model.slots.map((slot) => [slot, {
        ...measureSlot(trainer, slot, control, health[slot]),
        times: slot in ran
          ? { stepP50: null, stepP95: null, ...stepTime, micros: trainer.stepTimes.microsOf(slot, ran) }
          : UNTIMED,
      }]),
    ),
  });
  await trainer.publishEdges(edges);
  const validation = await scoreValidation(trainer);
  const { decision, taken } = await decide(trainer, trainLoss);
  if (!lifecycle.observe().some(({ stage }) => stage === "GERMINATED" || stage === "TRAINING")) {
    trainer.ledger.settle();
  }
  // No decision changes a number yet, and a rollback must not undo what the log has told.
  trainer.bless();
  trainer.prepare();
  await bus.publish("tick.report", {
    ...clock,
    progress: trainer.ledger.progress,
    trainLoss,
    controlLoss: control.present.loss,
    slots: lifecycle.observe().map(({ slot, stage, blueprint, alpha, advantage, health }) => ({
      slot,
      stage,
      blueprint,
      alpha,
      advantage,
      health,
      times: lifecycle.timesOf(slot),
    })),
    decision,
    ...validation && { validation },
  });
  await trainer.publishEdges(taken);
  await callHooks(trainer.hooks, "onTick", progress.tick);
  if (progress.tick % trainer.parts.config.loop.checkpointTicks === 0) await trainer.save();
}

/** The validation split at the ticks that the configuration names. No decision sees it. */
async function scoreValidation(trainer: Trainer): Promise<Payloads["tick.report"]["validation"] | null> {
  const { parts: { config, host, lifecycle }, progress, ledger } = trainer;
  const { validationTicks } = config.loop;
  if (validationTicks === 0 || progress.tick % validationTicks !== 0) return null;
  const { loss, accuracy } = await trainer.score("validation");
  const params = lifecycle.observe().reduce((sum, slot) => sum + slot.params, host.params);
  return { loss, accuracy, flops: ledger.total, params };
}

/** Waits for what the last tick asked for. What cannot be built is said, and left to the lifecycle's time limit. */
async function adoptBuilt(trainer: Trainer): Promise<void> {
  const built = await trainer.building;
  trainer.building = null;
  if (!built) return;
  if (!(built instanceof Error)) return await trainer.swap(built);
  await trainer.parts.bus.publish("notice", {
    level: "warning",
    text: `the network could not grow: ${built.message}`,
  });
}

interface ControlEvaluations {
  /** The network that trains, seeds at their present α. */
  readonly present: Evaluation;
  /** The same with an incubating seed at full strength. */
  readonly with: Readonly<Record<string, Evaluation>>;
  /** The same with a seed switched off. */
  readonly without: Readonly<Record<string, Evaluation>>;
}

/** Evaluates on this tick's share of the control split: all variants on the same batches. */
async function evaluateControl(trainer: Trainer): Promise<ControlEvaluations> {
  const { parts, assembly, progress } = trainer;
  const { controlBatches } = parts.config.loop;
  const count = controlBatches * parts.config.train.batch;
  const alphas = trainer.alphas(1);
  const evaluate = assembly.evaluate;
  const withSeed: [string, Candidate][] = Object.entries(assembly.trials).map((
    [slot, step],
  ) => [slot, { step, alphas: { ...alphas, [slot]: 1 }, expense: "incubation" }]);
  const switchable = Object.entries(assembly.topology).filter(([, { mode }]) => mode === "blend").map((
    [slot],
  ) => slot)
    .filter((slot) => alphas[slot] === 1 && !parts.lifecycle.frozen(slot));
  const withoutSeed: [string, Candidate][] = switchable.map((
    slot,
  ) => [slot, { step: evaluate, alphas: { ...alphas, [slot]: 0 } }]);
  const candidates = [
    { step: evaluate, alphas },
    ...withSeed.map(([, c]) => c),
    ...withoutSeed.map(([, c]) => c),
  ];
  const from = (progress.tick * count) % parts.examples.parts.control.count;
  const [present, ...others] = await trainer.evaluator.run("control", from, count, candidates);
  const named = (list: [string, Candidate][], offset: number) =>
    Object.fromEntries(list.map(([slot], k) => [slot, others[offset + k]]));
  return { present, with: named(withSeed, 0), without: named(withoutSeed, withSeed.length) };
}

/** Paired difference of batch losses: positive where `better` is. */
function paired(worse: Evaluation | undefined, better: Evaluation | undefined): Measurement | null {
  return worse && better ? measure(worse.losses.map((loss, k) => loss - better.losses[k])) : null;
}

/** Times of a slot that no step of the tick had a seed in. */
const UNTIMED: SlotMeasurement["times"] = { stepP50: null, stepP95: null, micros: null };
const UNMEASURED = Object.fromEntries(HEALTH.map((key) => [key, null])) as SlotMeasurement["health"];

function measureSlot(
  trainer: Trainer,
  slot: string,
  control: ControlEvaluations,
  activations: ActivationHealth | undefined,
): Omit<SlotMeasurement, "times"> {
  const { lifecycle, store } = trainer.parts;
  const { norms } = trainer.progress;
  const seed = lifecycle.seedOf(slot), stage = lifecycle.stageOf(slot), group = `seed/${seed}`;
  const running = trainer.assembly.topology[slot], wanted = trainer.wanted[slot];
  const removal = paired(control.without[slot], control.present);
  return {
    ready: running !== undefined && running.seed === wanted?.seed && running.mode === wanted.mode,
    released: running === undefined && store.inGroup(group).length === 0,
    parameters: seed === null ? null : store.countIn(group),
    updates: seed === null ? null : trainer.progress.updates[group] ?? 0,
    health: {
      ...UNMEASURED,
      ...activations,
      // What is left in the list of a seed that is gone, or that is host by now, is no measurement.
      gradNorm: running && store.inGroup(group).length > 0 ? norms[group] ?? null : null,
      hostGradNorm: norms[`host/${slot}`] ?? null,
    },
    advantage: paired(control.present, control.with[slot]) ?? (stage === "TRAINING" ? removal : null),
    removal: stage === "HOLDING" ? removal : null,
  };
}

/** Lets the controller act once, and settles seeds for which the run is about to end. */
async function decide(
  trainer: Trainer,
  trainLoss: number | null,
): Promise<{ decision: Decision; taken: Edge[] }> {
  const { lifecycle, controller, legal, analyse, candidates, bus, config, host } = trainer.parts;
  const { progress } = trainer;
  const context: ActionContext = {
    tick: progress.tick,
    step: progress.step,
    ticksLeft: trainer.ticksLeft,
    governor: trainer.governor.exhausted ? "rollbacks used up" : null,
  };
  const last = closingActions(legal(context), context.ticksLeft, config.growth.gates.blendOutTicks);
  const taken = last.flatMap((action) => act(trainer, action, context));
  if (last.length > 0) {
    const text = `the run is about to end: ${last.map(({ kind, slot }) => `${kind} ${slot}`).join(", ")}`;
    await bus.publish("notice", { level: "info", text });
  }
  const allowed = legal(context);
  const observation: Observation = {
    ...context,
    progress: trainer.ledger.progress,
    trainLoss,
    controlLoss: progress.controlHistory.at(-1) ?? null,
    controlHistory: [...progress.controlHistory],
    host,
    budget: {
      params: config.growth.paramsBudget * host.params,
      flops: config.growth.flopsBudget * host.flops,
    },
    slots: lifecycle.observe(),
    graph: analyse(trainer.topology),
    candidates,
    legal: allowed,
  };
  if (trainer.governor.exhausted) {
    const why = "the governor turned the controller off";
    return { decision: { action: { kind: "wait" }, why, warnings: [] }, taken };
  }
  const decision = await controller.decide(observation);
  for (const text of decision.warnings) await bus.publish("notice", { level: "warning", text });
  const { action } = decision;
  const veto = lifecycle.check(action, context);
  if (veto) {
    await bus.publish("action.vetoed", {
      tick: context.tick,
      step: context.step,
      action,
      reason: veto.reason,
      evidence: veto.evidence,
    });
    return { decision, taken };
  }
  if (action.kind === "germinate" && config.controller.kind !== "off" && !progress.before) {
    progress.before = await trainer.score("validation", "incubation");
  }
  return { decision, taken: [...taken, ...act(trainer, action, context)] };
}

/** Does what was decided; returns the edges that were taken. */
function act(trainer: Trainer, action: Action, context: ActionContext): Edge[] {
  const { lifecycle, store } = trainer.parts;
  const edges = lifecycle.apply(action, context);
  // α is 1 in HOLDING, so folding it into γ changes no number; the parameters move to the host's group as they are.
  if (action.kind === "fossilize") {
    store.regroup(store.inGroup(`seed/${lifecycle.seedOf(action.slot)}`), `host/${action.slot}`);
  }
  return edges;
}

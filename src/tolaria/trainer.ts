import type { Action, PatientController } from "../contracts/control.ts";
import type { ActionContext, Lifecycle } from "../contracts/growth.ts";
import type { Edge } from "../contracts/lifecycle.ts";
import type { Candidates, ModelGraph } from "../contracts/model_graph.ts";
import { type QueuedStep, StepQueue } from "../engine/compile/step_queue.ts";
import type { Bus } from "../oona/bus.ts";
import { Assembler, type Assembly, type AssemblyParts } from "./assembly.ts";
import { Evaluator } from "./evaluator.ts";
import { Governor } from "./governor.ts";
import { type Topology, topologyKey, topologyOf } from "./growable.ts";
import { callHooks, type Hooks } from "./hooks.ts";
import { type Expense, Ledger } from "./ledger.ts";
import { MetricsReader, NOTHING_UNREAD } from "./metrics_reader.ts";
import { nextStep } from "./next_step.ts";
import { rollBack } from "./rollback.ts";
import type { Checkpoint, Progress, SavedState, Score, TrainerState } from "./state.ts";
import { freshProgress } from "./state.ts";
import { Speedometer } from "./speedometer.ts";
import { StepTimes } from "./step_times.ts";
import { endTick } from "./tick.ts";
import { Trust } from "./trust.ts";
import type { ViewCount } from "../engine/data/views.ts";
import { watch } from "./watch.ts";

export interface TrainerParts extends AssemblyParts {
  readonly lifecycle: Lifecycle & { toJSON(): unknown; restore(json: unknown): void };
  readonly controller: PatientController;
  /** Parameters, and FLOPs of one example's forward pass, of the host alone. */
  readonly host: { readonly params: number; readonly flops: number };
  /** Every action that the lifecycle allows now. */
  legal(context: ActionContext): Action[];
  /** The network as controllers see it, with the seeds of a topology. */
  analyse(topology: Topology): ModelGraph;
  readonly candidates: Candidates;
  readonly bus: Pick<Bus, "publish">;
  readonly hooks: readonly Hooks[];
  /** Keeps a checkpoint; resolves when it is safe. */
  keep(checkpoint: Checkpoint): Promise<void>;
}

const GIGA = 1e9;
/** Longest that the device is sent off with steps at once: so much later it hears of a stop. */
const SUBMIT_MS = 50;

/** The training loop: steps, ticks, growth, rollback and checkpoints. One object is one run, from its start or a checkpoint. */
export class Trainer {
  readonly parts: TrainerParts;
  readonly ledger: Ledger;
  readonly governor: Governor;
  readonly evaluator: Evaluator;
  readonly assembler: Assembler;
  progress: Progress = freshProgress();
  /** The programs that run. Set by `start`. */
  assembly!: Assembly;
  /** What the last tick decided that the programs should hold, and its assembly once it is built. */
  wanted: Topology = {};
  building: Promise<Assembly | Error> | null = null;
  readonly reader: MetricsReader;
  readonly #trust: Trust;
  readonly #queue: StepQueue;
  readonly speedometer = new Speedometer();
  readonly stepTimes = new StepTimes();

  constructor(parts: TrainerParts) {
    const { gpu, examples, config, store } = parts;
    this.parts = parts;
    this.ledger = new Ledger(config.train.budgetGflop * GIGA);
    this.governor = new Governor(config.governor, parts.model.classes);
    this.assembler = new Assembler(parts);
    this.#queue = new StepQueue(gpu);
    this.evaluator = new Evaluator(
      this.#queue,
      examples,
      this.assembler.evaluationRing,
      this.ledger,
      config.train.batch,
    );
    this.#trust = new Trust(gpu, store);
    this.reader = new MetricsReader(this.assembler.trainRing);
  }

  get hooks(): readonly Hooks[] {
    return this.parts.hooks;
  }

  /** Compiles the first programs; with a checkpoint, goes on from it. */
  async start(checkpoint?: Checkpoint): Promise<void> {
    if (checkpoint) {
      const { blessed, present } = checkpoint;
      this.#trust.restore(blessed);
      this.parts.store.restore(present.layout, present.numbers);
      this.adopt(present.state);
      this.assembly = await this.assembler.get(this.progress.running);
    } else {
      this.assembly = await this.assembler.get({});
      this.bless();
    }
    this.prepare();
  }

  /** Trains until the budget is spent, or `signal` is aborted or a step reached, after which a checkpoint is kept. */
  async run(signal: AbortSignal, until = Infinity): Promise<"completed" | "interrupted"> {
    const { tickSteps, metricsSteps } = this.parts.config.loop;
    this.speedometer.restart(this.progress.step);
    this.stepTimes.restart(this.progress.step);
    for (;;) {
      // A rollback gives back steps, which a limit of steps allows again.
      if (this.finished && !await this.#readAll()) return await this.#stop("completed");
      if (this.finished) continue;
      if (signal.aborted || this.progress.step >= until) {
        await this.save();
        return await this.#stop("interrupted");
      }
      const { epochs } = this;
      this.#takeSteps(signal, until);
      await callHooks(this.hooks, "onStep", this.progress.step);
      for (let epoch = epochs; epoch < this.epochs;) await callHooks(this.hooks, "onEpoch", ++epoch);
      const { stepInTick } = this.progress;
      if (stepInTick % metricsSteps === 0) await this.#readMetrics();
      else if (this.building) await new Promise((resolve) => setTimeout(resolve));
      if (this.progress.stepInTick === tickSteps) {
        if (await this.#readAll()) continue;
        await endTick(this);
        this.stepTimes.restart(this.progress.step);
      }
    }
  }

  async #stop(outcome: "completed" | "interrupted"): Promise<typeof outcome> {
    await callHooks(this.hooks, "onStop", outcome);
    return outcome;
  }

  /** Takes one step and waits for it; returns its loss. */
  async tryStep(): Promise<number> {
    this.#queue.submit([nextStep(this)]);
    const [row] = await this.assembler.trainRing.drain();
    return row[0];
  }

  /** Whether the budget is spent or the step limit reached. */
  get finished(): boolean {
    const { maxSteps } = this.parts.config.train;
    return this.ledger.total >= this.ledger.budget ||
      (maxSteps !== undefined && this.progress.step >= maxSteps);
  }

  /** Passes over the training data that the steps taken have completed. */
  get epochs(): number {
    const { config, examples } = this.parts;
    return Math.floor(this.progress.step * config.train.batch / examples.parts.train.count);
  }

  /** Ticks until the end at the present price of a step. */
  get ticksLeft(): number {
    const { config: { loop, train, growth }, optimizer, store } = this.parts;
    const updates = store.groups.reduce(
      (sum, group) => sum + (group?.startsWith("host") ? optimizer.flops(group) : 0),
      0,
    );
    const price = this.assembly.train.program.flops + updates +
      ((this.assembly.shadow?.program.flops ?? this.assembly.train.program.flops) -
          this.assembly.train.program.flops) / growth.shadowEvery;
    const tick = loop.tickSteps * price + loop.controlBatches * this.assembly.evaluate.program.flops +
      (this.assembly.health?.program.flops ?? 0);
    const byBudget = Math.floor((this.ledger.budget - this.ledger.total) / tick);
    const bySteps = Math.floor(((train.maxSteps ?? Infinity) - this.progress.step) / loop.tickSteps);
    return Math.max(0, Math.min(byBudget, bySteps));
  }

  /** Takes a checkpoint at the present step. */
  async save(): Promise<void> {
    const state = this.#capture(await this.reader.save());
    const present: SavedState = {
      state,
      layout: this.parts.store.layout,
      numbers: await this.parts.store.read(),
    };
    await this.parts.keep({ present, blessed: await this.#trust.read() });
  }

  /** Trusts the present: what a rollback returns to. */
  bless(): void {
    this.#trust.bless(this.#capture());
  }

  /** The last trusted state, now in force again. */
  async revert(): Promise<TrainerState> {
    const state = this.#trust.revert();
    await this.reader.discard();
    this.adopt(state);
    return state;
  }

  /** Decides what the programs should hold from the slots' stages, and begins to build it. */
  prepare(): void {
    this.wanted = this.topology;
    if (topologyKey(this.wanted) === topologyKey(this.assembly.topology)) {
      this.building = null;
      this.#release();
      return;
    }
    this.building = this.assembler.get(this.wanted).catch((error: Error) => error);
  }

  /** Loss and accuracy on the whole of a part, of the programs that run, seeds at their present α; each image seen so many ways. */
  async score(
    part: "validation" | "test",
    expense: Expense = "evaluation",
    views: ViewCount = 1,
  ): Promise<Score> {
    const { count } = this.parts.examples.parts[part];
    const step = await this.assembler.scorer(this.assembly.topology, views);
    const candidate = { step, alphas: this.alphas(0), expense };
    const [{ loss, accuracy }] = await this.evaluator.run(part, 0, count, [candidate]);
    step.program.destroy();
    return { step: this.progress.step, loss, accuracy };
  }

  /** Swaps in an assembly; parameters that it does not hold return their room. */
  async swap(assembly: Assembly): Promise<void> {
    this.assembly = assembly;
    this.progress.running = assembly.topology;
    await this.assembler.keep([assembly.topology]);
    this.#release();
  }

  /** Removes parameters of seeds that the running programs do not hold: of the pruned, and of those that never ran. */
  #release(): void {
    const { store } = this.parts;
    const held = new Set(Object.values(this.assembly.topology).map((seed) => `seed/${seed.seed}/`));
    const dropped = store.names.filter((name) =>
      name.startsWith("seed/") && ![...held].some((prefix) => name.startsWith(prefix))
    );
    store.remove(dropped);
  }

  /** α of every slot, `fraction` into the running tick. */
  alphas(fraction: number): Record<string, number> {
    const { model, lifecycle } = this.parts;
    return Object.fromEntries(model.slots.map((slot) => [slot, lifecycle.alphaAt(slot, fraction)]));
  }

  async publishEdges(edges: readonly Edge[]): Promise<void> {
    for (const edge of edges) await this.parts.bus.publish("seed.edge", edge);
    if (edges.length > 0) await callHooks(this.hooks, "onMutation", edges);
  }

  /** What the programs should hold at the slots' present stages. */
  get topology(): Topology {
    const { model, lifecycle, config } = this.parts;
    return topologyOf(model.slots, lifecycle, config.growth.incubation);
  }

  #capture(unread = NOTHING_UNREAD): TrainerState {
    return structuredClone({
      unread,
      progress: this.progress,
      ledger: this.ledger.save(),
      governor: this.governor.save(),
      lifecycle: this.parts.lifecycle.toJSON(),
      controller: this.parts.controller.save(),
    });
  }

  /** Goes on from a state; the numbers that belong to it are the store's affair. */
  adopt(state: TrainerState): void {
    this.progress = structuredClone(state.progress);
    this.ledger.restore(state.ledger);
    this.governor.restore(state.governor);
    this.parts.lifecycle.restore(state.lifecycle);
    this.parts.controller.restore(state.controller);
    this.reader.restore(state.unread);
  }

  /** Takes the steps up to the next reading, or those of one submit; fewer where a hook follows steps or epochs. */
  #takeSteps(signal: AbortSignal, until: number): void {
    const { metricsSteps, tickSteps } = this.parts.config.loop;
    const most = this.hooks.some(({ onStep }) => onStep) ? 1 : this.speedometer.stepsIn(SUBMIT_MS);
    const epochs = this.hooks.some(({ onEpoch }) => onEpoch) ? this.epochs : Infinity;
    const steps: QueuedStep[] = [];
    do steps.push(nextStep(this)); while (
      steps.length < most && !this.finished && !signal.aborted &&
      this.progress.step < until && this.epochs <= epochs &&
      this.progress.stepInTick % metricsSteps !== 0 &&
      this.progress.stepInTick !== tickSteps
    );
    this.#queue.submit(steps);
  }

  /** Looks at the rows that the last reading asked for. True where that ended in a rollback. */
  async #readMetrics(): Promise<boolean> {
    const rows = await this.reader.next();
    this.stepTimes.read(this.progress.step);
    const alarm = await watch(this, rows);
    if (alarm) await rollBack(this, alarm);
    return alarm !== null;
  }

  /** Looks at all rows there are. True where that ended in a rollback. */
  async #readAll(): Promise<boolean> {
    return await this.#readMetrics() || await this.#readMetrics();
  }

  async destroy(): Promise<void> {
    await Promise.allSettled([this.building, this.reader.settle()]);
    await this.assembler.destroy();
    this.#queue.destroy();
    this.#trust.destroy();
  }
}

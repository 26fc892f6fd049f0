import type { Action, Observation } from "../../contracts/control.ts";
import type { ActionContext, Lifecycle, SeedMode } from "../../contracts/growth.ts";
import type { ModelGraph } from "../../contracts/model_graph.ts";
import type { RewardConfig } from "../../contracts/reward.ts";
import type { Stage } from "../../contracts/control.ts";
import { prng } from "../../util/prng.ts";
import { createReward, netAdvantage, type Outcome, type Reward } from "../reward/reward.ts";
import type { Environment, Step } from "../rl/types.ts";
import type { Effects } from "./effects.ts";
import { measureTick } from "./measure.ts";
import { budgetOf, type Planted, type Plot, type Terms, tickFlops } from "./terms.ts";
import { simulateTwin } from "./twin.ts";
import { lossOf, NEWBORN, trainTick, type World } from "./world.ts";

/** The rules of real runs, as the composition root hands them in. */
export interface Rules {
  readonly lifecycle: Lifecycle & { toJSON(): unknown; restore(json: unknown): void };
  legal(context: ActionContext): Action[];
  /** What the training loop does by itself when the run is about to end. */
  closing(legal: readonly Action[], ticksLeft: number): Action[];
  /** How a seed of a stage is trained; null where no program holds it. */
  modeOf(stage: Stage): SeedMode | null;
  /** The network with the seeds that these slots hold. */
  analyse(blueprints: Readonly<Record<string, string>>): ModelGraph;
  /** Equal for lifecycles that go on equally. */
  key(): string;
}

export interface SimulatorParts {
  readonly terms: Terms;
  readonly effects: Effects;
  readonly rules: Rules;
  readonly reward: RewardConfig;
  /** False: what is measured is exact, though it claims its standard error as ever. */
  readonly noisy: boolean;
}

/** All of a simulated run at a tick. */
interface Moment {
  readonly world: World;
  readonly running: Plot;
  readonly tick: number;
  readonly history: readonly number[];
  readonly allowed: readonly Action[];
  readonly lifecycle: unknown;
}

/** A simulated run, which can be taken back. */
export interface Simulator extends Environment<Observation> {
  reset(seed: number): Observation;
  step(action: number): Step<Observation>;
  /** Final loss advantage over the twin less rent; null while the run goes on. */
  readonly score: number | null;
  readonly parts: SimulatorParts;
  readonly world: World;
  legal(): readonly Action[];
  /** As `step`, without looking: false where the run is over. */
  advance(action: Action): boolean;
  save(): Moment;
  restore(moment: Moment): void;
  /** Equal for runs that go on equally, noise aside. */
  key(): string;
}

/** Germinated seeds are held by programs a tick later, as in real runs: what is wanted is built while training goes on. */
export function createSimulator(parts: SimulatorParts): Simulator {
  const { terms, effects, rules, noisy } = parts;
  const { lifecycle } = rules;
  const slots = lifecycle.observe().map(({ slot }) => slot);
  const budget = budgetOf(terms), twin = simulateTwin(terms, effects);
  const born = lifecycle.toJSON();
  let seed = 0, tick = 0, world = NEWBORN, running: Plot = {}, history: readonly number[] = [];
  let score: number | null = null,
    reward: Reward = createReward(parts.reward, twin),
    allowed: readonly Action[] = [];

  let price = tickFlops(terms, running);

  const context = (): ActionContext => ({
    tick,
    step: tick * terms.config.loop.tickSteps,
    ticksLeft: Math.floor((budget - world.spent) / price),
    governor: null,
  });

  function wanted(): Plot {
    return Object.fromEntries(
      lifecycle.observe().flatMap(({ slot, stage, blueprint }) => {
        const mode = rules.modeOf(stage);
        return mode && blueprint !== null ? [[slot, { blueprint, mode } satisfies Planted] as const] : [];
      }),
    );
  }

  /** Trains to the next tick and lets the lifecycle move. False where the budget ends before. */
  function nextTick(): boolean {
    const over = world.spent + price >= budget;
    world = trainTick(terms, world, running, lifecycle.frozen);
    if (over) return false;
    running = wanted();
    price = tickFlops(terms, running);
    tick++;
    const before = history.at(-1) ?? null;
    const random = noisy ? prng(seed, `simulator.${tick}`) : null;
    const measured = measureTick({ terms, effects, world, running, lifecycle, random });
    history = [...history, measured.present.mean];
    lifecycle.onTick({ ...context(), controlLoss: measured.present, slots: measured.slots });
    const now = context();
    allowed = rules.legal(now);
    const last = rules.closing(allowed, now.ticksLeft);
    for (const action of last) lifecycle.apply(action, now);
    if (last.length > 0) allowed = rules.legal(now);
    trainLoss = before === null ? history[tick - 1] : (before + history[tick - 1]) / 2;
    return true;
  }
  let trainLoss: number | null = null;

  function settle(): Outcome {
    const seeds = lifecycle.observe().filter(({ stage }) => stage === "FOSSILIZED");
    const fossils: Plot = Object.fromEntries(
      seeds.map(({ slot, blueprint }) => [slot, { blueprint: blueprint!, mode: "fossil" }]),
    );
    const share = (of: "params" | "flops") => seeds.reduce((sum, seed) => sum + seed[of], 0) / terms.host[of];
    const outcome = {
      loss: lossOf(terms, effects, world, fossils, () => 1),
      without: lossOf(terms, effects, world, {}, () => 0),
      params: share("params"),
      flops: share("flops"),
    };
    score = netAdvantage(outcome, twin, parts.reward.rent);
    return outcome;
  }

  function advance(action: Action): boolean {
    lifecycle.apply(action, context());
    const more = nextTick();
    if (!more) settle();
    return more;
  }

  function observe(): Observation {
    const held = Object.fromEntries(
      lifecycle.observe().filter(({ stage }) => rules.modeOf(stage) !== null)
        .map(({ slot, blueprint }) => [slot, blueprint!]),
    );
    return {
      ...context(),
      progress: world.spent / budget,
      trainLoss,
      controlLoss: history.at(-1) ?? null,
      controlHistory: [...history],
      host: terms.host,
      budget: {
        params: terms.config.growth.paramsBudget * terms.host.params,
        flops: terms.config.growth.flopsBudget * terms.host.flops,
      },
      slots: lifecycle.observe(),
      graph: rules.analyse(held),
      candidates: terms.candidates,
      legal: [...allowed],
    };
  }

  return {
    parts,
    get score() {
      return score;
    },
    get world() {
      return world;
    },
    legal: () => allowed,
    reset(next) {
      [seed, tick, world, running, history, score] = [next, 0, NEWBORN, {}, [], null];
      price = tickFlops(terms, running);
      reward = createReward(parts.reward, twin);
      lifecycle.restore(born);
      if (!nextTick()) throw new Error(`simulator: want a run of a tick or more; raise train.budgetGflop`);
      return observe();
    },
    step(index) {
      const action = allowed[index];
      if (!action || score !== null) {
        throw new Error(
          `simulator: want an action below ${allowed.length} of a run that goes on, got ${index}; reset begins one`,
        );
      }
      if (!advance(action)) {
        return { observation: observe(), reward: reward.atEnd(settle()), terminated: true, truncated: false };
      }
      const present = lossOf(terms, effects, world, running, (slot) => lifecycle.alphaAt(slot, 0));
      const paid = reward.atTick({ loss: present, flops: world.spent });
      return { observation: observe(), reward: paid, terminated: false, truncated: false };
    },
    advance,
    save: () => ({ world, running, tick, history, allowed, lifecycle: lifecycle.toJSON() }),
    restore(moment) {
      ({ world, running, tick, history, allowed } = moment);
      price = tickFlops(terms, running);
      lifecycle.restore(moment.lifecycle);
      score = null;
    },
    key() {
      const number = (value: number) => value.toPrecision(12);
      const skills = slots.map((slot) => number(world.skills[slot] ?? 0));
      const seeds = slots.map((slot) =>
        running[slot] ? `${running[slot].blueprint}:${running[slot].mode}` : ""
      );
      return [number(world.spent), number(world.learned), ...skills, ...seeds, rules.key()].join(" ");
    },
  };
}

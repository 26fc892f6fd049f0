import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { createSimulation, termsOf } from "../../src/app/simulation.ts";
import { drawTasks } from "../../src/app/task_family.ts";
import { RunConfig } from "../../src/contracts/config.ts";
import type { Action, Observation } from "../../src/contracts/control.ts";
import { hostLoss } from "../../src/tamiyo/simulator/effects.ts";
import { fitEffects, type LoggedRun } from "../../src/tamiyo/simulator/fit.ts";
import { upperBound } from "../../src/tamiyo/simulator/bound.ts";
import { findOptimum } from "../../src/tamiyo/simulator/optimum.ts";
import { type SimulatedTask, taskHash } from "../../src/tamiyo/simulator/task.ts";
import { tickFlops } from "../../src/tamiyo/simulator/terms.ts";
import type { Simulator } from "../../src/tamiyo/simulator/simulator.ts";
import { modeOf } from "../../src/tolaria/mod.ts";
import { prng } from "../../src/util/prng.ts";

/** A task with fewer ticks. */
function shortened(task: SimulatedTask, ticks: number, growth: object = {}): SimulatedTask {
  const { config } = task, tick = tickFlops(termsOf(config), {}) / 1e9;
  return {
    ...task,
    config: RunConfig.parse({
      ...config,
      train: { ...config.train, budgetGflop: (ticks + 0.5) * tick },
      growth: { ...config.growth, ...growth },
    }),
  };
}

/** Plays an episode; `choose` gives the index of a legal action. Returns what was seen and the sum of rewards. */
function play(run: Simulator, seed: number, choose: (observation: Observation) => number) {
  const seen = [run.reset(seed)];
  for (let total = 0;;) {
    const { observation, reward, terminated } = run.step(choose(seen.at(-1)!));
    total += reward;
    if (terminated) return { seen, total, score: run.score! };
    seen.push(observation);
  }
}

/** Takes the actions of a plan in turn. */
function follow(plan: readonly Action[]) {
  let next = 0;
  return ({ legal }: Observation) => {
    const action = JSON.stringify(plan[next++]);
    return legal.findIndex((other) => JSON.stringify(other) === action);
  };
}

const wander = (seed: number) => {
  const random = prng(seed, "wander");
  return ({ legal }: Observation) => random.below(legal.length);
};
const [task, second] = drawTasks("training", 2);

Deno.test("an episode is what its seed and actions make it, and pays its score", () => {
  const run = createSimulation(task);
  const first = play(run, 1, wander(1)), again = play(run, 1, wander(1)), other = play(run, 2, wander(1));
  assertEquals(again, first);
  assertAlmostEquals(first.total, first.score, 1e-12);
  assert(other.seen[3].controlLoss !== first.seen[3].controlLoss);
});

Deno.test("observations are whole: real graph, slots on legal edges, WAIT legal, nothing told before it is measured", () => {
  const { seen } = play(createSimulation(task), 3, wander(3));
  for (const { graph, slots, legal, controlHistory, tick, candidates } of seen) {
    assert(graph.nodes.length > 10 && Object.keys(graph.slots).length === slots.length);
    assertEquals(legal[0], { kind: "wait" });
    assertEquals(controlHistory.length, tick);
    assertEquals(Object.keys(candidates), slots.map(({ slot }) => slot));
    for (const { stage, blueprint, advantage, removal, gradNorm } of slots) {
      assertEquals(stage === "DORMANT", blueprint === null);
      assert(advantage === null || stage !== "DORMANT");
      assert(removal === null || !["GERMINATED", "TRAINING", "DORMANT"].includes(stage));
      assert(gradNorm === null || stage !== "DORMANT");
    }
  }
  assert(
    seen.some(({ slots }) => slots.some(({ advantage }) => advantage !== null)),
    "no advantage was ever seen",
  );
});

Deno.test("a tick costs what it cost in a logged run of the same network: 31 ticks for 150 GFLOP", () => {
  const terms = termsOf(RunConfig.parse({
    data: { kind: "cifar10", pixels: 16 },
    host: { kind: "cnn", channels: [4, 8, 16], norm: "batch" },
    train: { budgetGflop: 150 },
    growth: { slots: ["block*"] },
    loop: { tickSteps: 200 },
  }));
  assertEquals(Math.floor(150e9 / tickFlops(terms, {})), 31);
  const seed = (mode: "shadow" | "blend" | "fossil") =>
    tickFlops(terms, { block1: { blueprint: "conv3", mode } });
  assert(seed("shadow") > tickFlops(terms, {}) && seed("blend") > seed("fossil"));
});

Deno.test("lesson 22, the cheapest seed pays best: doing nothing is worth nothing, and so is the placebo at best", () => {
  const run = createSimulation(task);
  assertAlmostEquals(play(run, 1, () => 0).total, 0, 1e-12);
  const placebo = createSimulation(shortened(second, 16, { blueprints: ["affine"] }), { noisy: false });
  const { score, plan } = findOptimum(placebo);
  assertAlmostEquals(score, 0, 1e-12);
  assert(plan.every(({ kind }) => kind === "wait"));
  const sown = play(
    createSimulation(task),
    1,
    ({ legal }) =>
      Math.max(0, legal.findIndex((action) => action.kind === "germinate" && action.blueprint === "affine")),
  );
  assert(sown.score <= 0, `the placebo was worth ${sown.score}`);
});

Deno.test("findOptimum() is the best of all plans: bounds leave out none", () => {
  for (
    const growth of [{}, { incubation: "none" }, {
      maxLive: 2,
      gates: { ...second.config.growth.gates, trainingTicks: 1 },
    }]
  ) {
    const run = createSimulation(shortened(second, 11, { blueprints: ["conv3", "lowrank"], ...growth }), {
      noisy: false,
    });
    const all = findOptimum(run, { bounded: false }), bounded = findOptimum(run);
    assertAlmostEquals(bounded.score, all.score, 1e-9);
    assert(bounded.visited < all.visited, `${bounded.visited} of ${all.visited} moments`);
    run.reset(0);
    assert(upperBound(run) >= all.score);
  }
  assertThrows(() => findOptimum(createSimulation(task)), Error, "without noise");
});

Deno.test("the optimum can be played, in either part of the family", () => {
  for (const one of [...drawTasks("training", 2), ...drawTasks("heldOut", 1)]) {
    const run = createSimulation(one, { noisy: false });
    const { score, plan } = findOptimum(run);
    assert(score > 0.02, `${one.name} has nothing to gain`);
    const played = play(run, 0, follow(plan));
    assertAlmostEquals(played.score, score, 1e-12);
    assertAlmostEquals(played.total, score, 1e-9);
  }
});

Deno.test("a good plan is worth less the later it begins", () => {
  const run = createSimulation(second, { noisy: false });
  const { score, plan } = findOptimum(run);
  const late = (ticks: number) => {
    const wait = Array.from({ length: ticks }, (): Action => ({ kind: "wait" }));
    const choose = follow([...wait, ...plan]);
    return play(run, 0, (observation) => Math.max(0, choose(observation))).score;
  };
  const scores = [0, 3, 6, 9].map(late);
  for (const [k, value] of scores.entries()) if (k > 0) assert(value < scores[k - 1], `${scores}`);
  assert(scores[3] < 0.8 * score, `nine ticks late: ${scores[3]} of ${score}`);
});

Deno.test("training and held-out tasks share no task and no host", async () => {
  const training = drawTasks("training", 12), heldOut = drawTasks("heldOut", 6);
  const hashes = await Promise.all([...training, ...heldOut].map(taskHash));
  assertEquals(new Set(hashes).size, hashes.length);
  const host = ({ config: { host } }: SimulatedTask) => JSON.stringify(host);
  const hosts = new Set(training.map(host));
  assert(heldOut.every((task) => !hosts.has(host(task))));
  assertEquals(drawTasks("training", 2), [task, second]);
});

Deno.test("open tasks have the rules of both kinds of real runs, and growth pays in some of them only", async () => {
  const tasks = drawTasks("heldOut", 12, "open");
  const values = tasks.map((one) =>
    Object.values(one.effects.seeds).flatMap((seeds) => Object.values(seeds))
  );
  const best = values.map((seeds) => Math.max(...seeds.map(({ gain }) => gain)));
  assert(Math.min(...best) < 0.01 && Math.max(...best) > 0.1, `${best}`);
  assertEquals(new Set(tasks.map(({ config }) => config.growth.incubation)), new Set(["shadow", "none"]));
  assertEquals(new Set(tasks.map(({ config }) => config.growth.blueprints.length)).size > 2, true);
  for (const one of tasks.slice(0, 4)) {
    const { total, score } = play(createSimulation(one), 5, wander(5));
    assertAlmostEquals(total, score, 1e-12);
  }
  const hashes = await Promise.all([...tasks, ...drawTasks("heldOut", 12)].map(taskHash));
  assertEquals(new Set(hashes).size, 24);
});

Deno.test("fitEffects() finds the effects that logs were made with", () => {
  const blueprints = ["conv3", "pointwise", "affine"];
  const effect = (gain: number) => ({ gain, pace: 0.1, wear: 0 });
  const long = shortened(task, 40, {
    blueprints,
    paramsBudget: 5,
    flopsBudget: 3,
    maxLive: 3,
    incubation: "none",
  });
  const noise = { loss: 0.01, paired: 0.001, share: 0.1 };
  const gains = (share: number) =>
    Object.fromEntries(blueprints.map((name, k) => [name, effect(share * [0.16, 0.08, 0][k])]));
  const effects = {
    ...long.effects,
    curve: { floor: 1.3, gap: 0.6, scale: 0.05, power: 1, ripple: 0.1 },
    seeds: { block1: gains(0.4), block2: gains(0.7), block3: gains(1) },
    room: 0.5,
    noise,
  };
  const run = createSimulation({ ...long, effects }), terms = termsOf(long.config);
  const runs = Array.from({ length: 12 }, (_, seed): LoggedRun => {
    const choose = wander(seed), ticks: LoggedRun["ticks"][number][] = [];
    play(run, seed, (observation) => {
      const { legal, progress, controlLoss, slots } = observation;
      // Prunes are spared: logs say what a decision made of a stage.
      const options = legal.flatMap(({ kind }, k) => kind === "prune" ? [] : [k]);
      const taken = options[choose({ ...observation, legal: options.map((k) => legal[k]) })],
        action = legal[taken];
      const then = { germinate: "GERMINATED", advance: "BLENDING", fossilize: "FOSSILIZED" } as const;
      ticks.push({
        progress,
        controlLoss: controlLoss!,
        slots: slots.map((slot) =>
          action.kind === "wait" || action.kind === "prune" || action.slot !== slot.slot ? slot : {
            ...slot,
            stage: then[action.kind],
            ...action.kind === "germinate" && { blueprint: action.blueprint },
          }
        ),
      });
      return taken;
    });
    return { terms, modeOf: (stage) => modeOf(stage, "none"), ticks };
  });
  const found = fitEffects(runs, noise.loss);
  for (const [slot, seeds] of Object.entries(effects.seeds)) {
    for (const [name, { gain }] of Object.entries(seeds)) {
      assertAlmostEquals(found.effects.seeds[slot][name].gain, gain, 0.02, `${name} in ${slot}`);
    }
  }
  for (const learned of [0.1, 0.3, 0.5]) {
    const loss = ({ curve }: typeof found.effects) => hostLoss(curve, learned, 0.2);
    assertAlmostEquals(loss(found.effects), loss(effects), 0.01);
  }
  assertAlmostEquals(found.residual.loss, noise.loss, 0.003);
  assert(found.seeds > 20);
});

/** A small network whose seeds are measured by the reference executor, for stories of slots without a device. */
import type { Measurement, Stage } from "../../src/contracts/control.ts";
import type { Fit } from "../../src/contracts/blueprint.ts";
import type { SeedMode, TickMeasurements } from "../../src/contracts/growth.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import { stepInput, type Tensor, withSharedNodes } from "../../src/engine/graph/tensor.ts";
import { mlp } from "../../src/engine/nn/hosts.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { softmaxCrossEntropy } from "../../src/engine/ops/loss.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import { morph } from "../../src/kasmina/morph.ts";
import { alphaInput, type LiveSeed } from "../../src/kasmina/seed.ts";
import type { Kasmina } from "../../src/kasmina/types.ts";
import { build } from "../../src/tezzeret/build.ts";
import { fitOf } from "../../src/tezzeret/check.ts";
import { findBlueprint } from "../../src/tezzeret/library.ts";

import { healthLike } from "./slots.ts";

/** Blueprints that are sown in stories: two that learn, two that break. */
export const BLUEPRINTS = ["mlp", "affine", "nan", "explode"] as const;
export const SLOTS = ["layer1", "layer2", "layer3"] as const;

const WIDTH = 4, CLASSES = 2, BATCHES = 8, EXAMPLES = 32;
const host = mlp([2], CLASSES, SLOTS.map(() => WIDTH));
const network = morph(host, ["*"]);

/** Whether a blueprint may sit in a slot of this network. */
export const fit = (blueprint: string): Fit => fitOf(findBlueprint(blueprint), [WIDTH]);

/** A seed in the network as one moment finds it. */
export interface Planted {
  readonly slot: string;
  readonly blueprint: string;
  readonly mode: SeedMode;
  /** Ignored in the shadow and in a fossil. */
  readonly alpha: number;
  /** Which of a few weights it has; at 0, those of birth. */
  readonly learned: number;
}

/** What the reference executor finds in the network with its seeds. */
export interface Found {
  /** Logits of the network, seeds in the shadow left out. */
  readonly logits: Values;
  /** Control losses, a value a batch. */
  readonly losses: readonly number[];
  /** Norms of gradients, by group. */
  readonly norms: Readonly<Record<string, number>>;
  /** Control losses with a seed of the shadow at full strength, by slot. */
  readonly trials: Readonly<Record<string, readonly number[]>>;
}

const STAGE_MODES: Partial<Record<Stage, SeedMode>> = {
  TRAINING: "shadow",
  BLENDING: "blend",
  HOLDING: "blend",
  FOSSILIZED: "fossil",
};

/** The seeds that programs hold at the slots' present stages. */
export function planted(kasmina: Kasmina): Planted[] {
  return kasmina.observe().flatMap(({ slot, stage, blueprint, alpha, age }) => {
    const mode = STAGE_MODES[stage];
    // Most seeds learn for four ticks; one that is blended goes on with what it has.
    return mode && blueprint !== null ? [{ slot, blueprint, mode, alpha, learned: Math.min(age, 4) }] : [];
  });
}

const normOf = (values: readonly Values[]) =>
  Math.sqrt(values.flatMap((v) => [...v]).reduce((t, v) => t + v * v, 0));

interface Traced {
  readonly scope: TraceScope;
  readonly outputs: readonly Tensor[];
  /** Gradient of the only seed's γ, where one seed is in the shadow. */
  readonly gammaSlope: Tensor | null;
  read(values: readonly Values[]): Found;
}

/** Graph of a network with the seeds of these modes, and how its values are read. */
function trace(seeds: readonly Planted[]): Traced {
  return withSharedNodes(() => {
    const scope = new TraceScope();
    const x = stepInput("x", [EXAMPLES, 2]), labels = stepInput("labels", [EXAMPLES], "u32");
    const live = (chosen: readonly Planted[]) =>
      Object.fromEntries(chosen.map(({ slot, blueprint, mode }): [string, LiveSeed] => [slot, {
        seed: `${slot}/1`,
        mode,
        branch: (inner, h) => build(findBlueprint(blueprint), inner, h),
      }]));
    const lossesOf = (logits: Tensor) =>
      mean(reshape(softmaxCrossEntropy(logits, labels), [BATCHES, -1]), [1]);
    const settled = seeds.filter(({ mode }) => mode !== "shadow");
    const shadows = seeds.filter(({ mode }) => mode === "shadow");
    const logits = network.forward(scope, x, live(settled));
    const losses = lossesOf(logits);
    const outputs = [logits, losses];
    const groups: { group: string; from: number; to: number }[] = [];
    const differentiate = (loss: Tensor, named: (name: string) => string | null) => {
      const byGroup = Map.groupBy(scope.parameters, ({ name }) => named(name));
      for (const [group, parameters] of byGroup) {
        if (group === null) continue;
        const from = outputs.length;
        outputs.push(...gradients(loss, parameters.map(({ tensor }) => tensor)));
        groups.push({ group, from, to: outputs.length });
      }
    };
    differentiate(mean(losses), (name) => {
      const slot = SLOTS.find((slot) => name.startsWith(`seed/${slot}/`));
      return slot ? `seed/${slot}` : name.startsWith("head") ? null : `host/${name.split("/")[0]}`;
    });
    const trials = shadows.map((seed) => {
      const withSeed = lossesOf(network.forward(scope, x, live([...settled, seed])));
      differentiate(
        mean(withSeed),
        (name) => name.startsWith(`seed/${seed.slot}/`) ? `seed/${seed.slot}` : null,
      );
      return [seed.slot, outputs.push(withSeed) - 1] as const;
    });
    const gamma = scope.parameters.find(({ name }) => name.endsWith("/gamma"));
    const only = trials.length === 1 && gamma ? outputs[trials[0][1]] : null;
    return {
      scope,
      outputs,
      gammaSlope: only && gradients(mean(only), [gamma!.tensor])[0],
      read: (values) => ({
        logits: values[0],
        losses: [...values[1]],
        norms: Object.fromEntries(
          groups.map(({ group, from, to }) => [group, normOf(values.slice(from, to))]),
        ),
        trials: Object.fromEntries(trials.map(([slot, at]) => [slot, [...values[at]]])),
      }),
    };
  });
}

/** Two half moons; each batch has points of both, from end to end. */
const POINTS = Float64Array.from({ length: 2 * EXAMPLES }, (_, i) => {
  const { side, angle } = placeOf(i >> 1);
  return i % 2 === 0
    ? Math.cos(angle) * (side ? -1 : 1) + side
    : Math.sin(angle) * (side ? -1 : 1) + side / 2;
});
const LABELS = Array.from({ length: EXAMPLES }, (_, n) => placeOf(n).side);

function placeOf(n: number): { side: number; angle: number } {
  const size = EXAMPLES / BATCHES, batch = Math.floor(n / size), within = n % size;
  return { side: within % 2, angle: Math.PI * ((within >> 1) + batch / BATCHES) / (size / 2) };
}

const birthValues = (spec: TraceScope["parameters"][number]) =>
  initialise(spec.name, spec.shape, spec.init, 3);

/** Where the loss rises fastest from a seed's birth, in its γ: scaled to length 1. */
function slopeAtBirth({ slot, blueprint }: Planted): Values {
  return memoised(slopes, `${slot} ${blueprint}`, () => {
    const seed: Planted = { slot, blueprint, mode: "shadow", alpha: 0, learned: 0 };
    const { scope, gammaSlope } = trace([seed]);
    const [slope] = evaluate([gammaSlope!], {
      x: POINTS,
      labels: LABELS,
      ...Object.fromEntries(scope.parameters.map((spec) => [spec.name, birthValues(spec)])),
    });
    const norm = normOf([slope]);
    return slope.map((value) => value / norm);
  });
}

/** What a seed's γ has learned. The seeds of the last slot learn the wrong thing. */
function valuesOf(spec: TraceScope["parameters"][number], seeds: readonly Planted[]): Values {
  const seed = seeds.find(({ slot }) => spec.name.startsWith(`seed/${slot}/`));
  if (!seed || !spec.name.endsWith("/gamma") || seed.learned === 0) return birthValues(spec);
  const stride = (seed.slot === SLOTS.at(-1) ? 0.4 : -0.4) * seed.learned;
  return slopeAtBirth(seed).map((value) => Number.isFinite(value) ? stride * value : stride);
}

const traces = new Map<string, Traced>();
const finds = new Map<string, Found>();
const slopes = new Map<string, Values>();

function memoised<T>(memory: Map<string, T>, key: string, make: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = make();
  memory.set(key, made);
  return made;
}

/** Evaluates the network with its seeds in float64. The same seeds in the same state are evaluated once. */
export function find(seeds: readonly Planted[]): Found {
  const shape = seeds.map(({ slot, blueprint, mode }) => `${slot} ${blueprint} ${mode}`).join();
  const traced = memoised(traces, shape, () => trace(seeds));
  const state = seeds.map(({ mode, alpha, learned }) => `${mode === "blend" ? alpha : 1} ${learned}`).join();
  return memoised(finds, `${shape};${state}`, () =>
    traced.read(evaluate(traced.outputs, {
      x: POINTS,
      labels: LABELS,
      ...Object.fromEntries(seeds.map(({ slot, alpha }) => [alphaInput(slot), [alpha]])),
      ...Object.fromEntries(traced.scope.parameters.map((spec) => [spec.name, valuesOf(spec, seeds)])),
    })));
}

/** How many states of the network were evaluated so far. */
export const evaluated = () => finds.size;

/** Mean of batch values with its standard error. */
function measurementOf(values: readonly number[]): Measurement {
  const n = values.length, average = values.reduce((total, v) => total + v, 0) / n;
  const squares = values.reduce((total, v) => total + (v - average) ** 2, 0);
  return { mean: average, se: Math.sqrt(squares / (n - 1) / n), n };
}

const paired = (worse: readonly number[], better: readonly number[]) =>
  measurementOf(worse.map((loss, k) => loss - better[k]));

/** What may go wrong in a tick with each slot's measurements. */
export interface Mishaps {
  /** The program of this slot is not there yet; its memory is not returned yet. */
  readonly late: boolean;
  readonly stuck: boolean;
  /** Nothing was measured. */
  readonly blind: boolean;
}

/** What a training loop would tell the lifecycle at the end of a tick. */
export function measureTick(
  kasmina: Kasmina,
  clock: { tick: number; step: number },
  mishaps: (slot: string) => Mishaps,
  lossKnown: boolean,
): TickMeasurements {
  const seeds = planted(kasmina), found = find(seeds);
  const slots = kasmina.observe().map(({ slot, stage, params }) => {
    const { late, stuck, blind } = mishaps(slot);
    const seed = seeds.find((one) => one.slot === slot);
    const full = seed?.mode === "blend" && seed.alpha === 1 && !kasmina.frozen(slot);
    const without = full ? find(seeds.map((one) => one === seed ? { ...one, alpha: 0 } : one)).losses : null;
    const trial = found.trials[slot];
    return [slot, {
      ready: !late,
      released: !stuck,
      parameters: stage === "GERMINATED" && kasmina.seedOf(slot) ? params : null,
      updates: 0,
      health: healthLike(
        blind ? {} : {
          gradNorm: found.norms[`seed/${slot}`] ?? null,
          hostGradNorm: found.norms[`host/${slot}`] ?? null,
        },
      ),
      times: { stepP50: null, stepP95: null, micros: null },
      advantage: !blind && trial ? paired(found.losses, trial) : null,
      removal: !blind && without && stage === "HOLDING" ? paired(without, found.losses) : null,
    }] as const;
  });
  return {
    ...clock,
    controlLoss: lossKnown ? measurementOf(found.losses) : null,
    slots: Object.fromEntries(slots),
  };
}

import fc from "fast-check";
import type { Action, Observation, SlotObservation } from "../../src/contracts/control.ts";
import { HEALTH, type HealthQuantity, type Statistic } from "../../src/contracts/health.ts";
import { STAGES } from "../../src/contracts/lifecycle.ts";
import {
  type Candidates,
  type GraphNode,
  type ModelGraph,
  OP_CLASSES,
  type OpClass,
} from "../../src/contracts/model_graph.ts";

const UNKNOWN_HEALTH = Object.fromEntries(
  HEALTH.map((quantity) => [quantity, { value: null, slope: null }]),
) as Record<HealthQuantity, Statistic>;

/** A dormant slot of a small host, with the given differences. */
export function slotLike(slot: string, differences: Partial<SlotObservation> = {}): SlotObservation {
  return {
    slot,
    stage: "DORMANT",
    blueprint: null,
    alpha: 0,
    ticksInStage: 0,
    age: 0,
    gradNorm: null,
    hostGradNorm: null,
    hostParams: 100,
    advantage: null,
    removal: null,
    params: 0,
    flops: 0,
    embargoTicks: 0,
    health: UNKNOWN_HEALTH,
    ...differences,
  };
}

/** A chain: per slot a convolution, an activation and the slot; then a matrix product. */
export function graphLike(slots: readonly string[]): ModelGraph {
  const ops: OpClass[] = [
    "input",
    ...slots.flatMap((): OpClass[] => ["conv", "activation", "slot"]),
    "product",
  ];
  const nodes = ops.map((op, k): GraphNode => ({
    op,
    params: op === "conv" || op === "product" ? 100 * (k + 1) : 0,
    flops: op === "input" || op === "slot" ? 0 : 1000 * (k + 1),
    channels: 8,
    pixels: op === "product" ? 1 : 64,
    depth: k / (ops.length - 1),
  }));
  return {
    nodes,
    edges: ops.slice(1).map((_, k) => [k, k + 1]),
    slots: Object.fromEntries(slots.map((slot, k) => [slot, 3 * k + 3])),
  };
}

/** Seeds of three sizes that fit everywhere. */
export function candidatesLike(slots: readonly string[]): Candidates {
  const seeds = {
    se: { params: 40, flops: 500, ops: { pool: 1, product: 2, activation: 2 } },
    conv3: { params: 576, flops: 5000, ops: { conv: 1, norm: 1 } },
    affine: { params: 16, flops: 100, ops: { other: 1 } },
  };
  return Object.fromEntries(slots.map((slot) => [slot, seeds]));
}

/** An observation in the middle of the germination window, with the given differences. */
export function observationLike(differences: Partial<Observation> = {}): Observation {
  const slots = differences.slots?.map(({ slot }) => slot) ?? ["a", "b"];
  return {
    tick: 20,
    step: 2000,
    ticksLeft: 40,
    progress: 0.3,
    trainLoss: 1.5,
    controlLoss: 1.6,
    controlHistory: [2, 1.9, 1.8, 1.7, 1.6],
    host: { params: 1000, flops: 10_000 },
    budget: { params: 1500, flops: 20_000 },
    slots: [slotLike("a"), slotLike("b")],
    graph: graphLike(slots),
    candidates: candidatesLike(slots),
    legal: [{ kind: "wait" }],
    ...differences,
  };
}

/** A live seed as the lifecycle reports it. */
export function seedLike(slot: string, differences: Partial<SlotObservation> = {}): SlotObservation {
  return slotLike(slot, {
    stage: "TRAINING",
    blueprint: "se",
    ticksInStage: 4,
    age: 5,
    params: 100,
    flops: 1000,
    ...differences,
  });
}

export const germinations = (slots: string[], blueprints: string[]): Action[] =>
  slots.flatMap((slot) => blueprints.map((blueprint): Action => ({ kind: "germinate", slot, blueprint })));

const measurement = fc.option(fc.record({
  mean: fc.double({ min: -1, max: 1, noNaN: true }),
  se: fc.double({ min: 0, max: 1, noNaN: true }),
  n: fc.integer({ min: 1, max: 8 }),
}));
const norm = fc.option(fc.double({ min: 0, max: 100 }));

const slot = (name: string): fc.Arbitrary<SlotObservation> =>
  fc.record({
    slot: fc.constant(name),
    stage: fc.constantFrom(...STAGES),
    blueprint: fc.option(fc.constantFrom("se", "conv3")),
    alpha: fc.double({ min: 0, max: 1, noNaN: true }),
    ticksInStage: fc.nat(15),
    age: fc.nat(15),
    gradNorm: norm,
    hostGradNorm: norm,
    hostParams: fc.nat(1000),
    advantage: measurement,
    removal: measurement.map((m) => m && { ...m, age: 1 }),
    params: fc.nat(1000),
    flops: fc.nat(1000),
    embargoTicks: fc.nat(3),
    health: fc.constant(UNKNOWN_HEALTH),
  });

const everyAction: Action[] = ["a", "b", "c"].flatMap((name): Action[] => [
  ...germinations([name], ["se", "conv3", "affine"]),
  { kind: "advance", slot: name },
  { kind: "prune", slot: name },
  { kind: "fossilize", slot: name },
]);

/** Any observation of three slots, however unlikely. */
const anyObservation: fc.Arbitrary<Observation> = fc.record({
  tick: fc.constant(0),
  step: fc.nat(1e6),
  ticksLeft: fc.nat(100),
  progress: fc.double({ min: 0, max: 1, noNaN: true }),
  trainLoss: fc.option(fc.double()),
  controlLoss: fc.option(fc.double()),
  controlHistory: fc.array(fc.double({ min: -10, max: 10 }), { maxLength: 6 }),
  host: fc.record({ params: fc.nat(1000), flops: fc.nat(1000) }),
  budget: fc.record({ params: fc.nat(2000), flops: fc.nat(2000) }),
  slots: fc.tuple(slot("a"), slot("b"), slot("c")),
  graph: fc.constant(graphLike(["a", "b", "c"])),
  candidates: fc.constant(candidatesLike(["a", "b", "c"])),
  legal: fc.subarray(everyAction).map((actions): Action[] => [{ kind: "wait" }, ...actions]),
});

/** Observations of consecutive ticks. */
export const anyRun: fc.Arbitrary<Observation[]> = fc.array(anyObservation, { minLength: 1, maxLength: 25 })
  .map((run) => run.map((observation, tick) => ({ ...observation, tick })));

/** Any graph without circles that has these slots, in any order. */
const anyGraph = (slots: readonly string[]): fc.Arbitrary<ModelGraph> =>
  fc.array(fc.constantFrom(...OP_CLASSES.filter((op) => op !== "slot")), { minLength: 2, maxLength: 6 })
    .chain((others) =>
      fc.shuffledSubarray([...others, ...slots.map((): OpClass => "slot")], {
        minLength: others.length + slots.length,
      })
    )
    .chain((ops) =>
      fc.record({
        nodes: fc.tuple(...ops.map((op) =>
          fc.record({
            op: fc.constant(op),
            params: fc.nat(1000),
            flops: fc.nat(100_000),
            channels: fc.integer({ min: 1, max: 64 }),
            pixels: fc.constantFrom(1, 16, 64),
            depth: fc.double({ min: 0, max: 1, noNaN: true }),
          })
        )),
        edges: fc.subarray(
          ops.flatMap((_, to) => Array.from({ length: to }, (_, from): [number, number] => [from, to])),
        ),
        slots: fc.constant(Object.fromEntries(
          ops.flatMap((op, k) => op === "slot" ? [k] : []).map((node, k) => [slots[k], node]),
        )),
      })
    );

/** Any observation with a graph of its own: what a policy may meet. */
export const anySight: fc.Arbitrary<Observation> = fc.tuple(anyObservation, anyGraph(["a", "b", "c"]))
  .map(([observation, graph]) => ({ ...observation, graph }));

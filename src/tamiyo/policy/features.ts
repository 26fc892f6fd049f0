import type { Action, Measurement, Observation, SlotObservation } from "../../contracts/control.ts";
import { HEALTH } from "../../contracts/health.ts";
import { LIVE_STAGES, STAGES } from "../../contracts/lifecycle.ts";
import { type GraphNode, OP_CLASSES, type SeedTraits } from "../../contracts/model_graph.ts";
import { type FeatureTable, known, measured, oneHot, type Quantity } from "./feature_table.ts";

/** Sign and logarithm: counts and sizes that span orders of magnitude. */
const log = (x: number) => Math.sign(x) * Math.log1p(Math.abs(x));
/** Losses and differences of losses: about linear below 0.01 nats, logarithmic above. */
const nats = (x: number) => log(100 * x);
const orNull = <T>(value: T | null | undefined, of: (value: T) => number): number | null =>
  value === null || value === undefined ? null : of(value);
const ratio = (a: number, b: number) => b > 0 ? a / b : 0;

interface NodeSubject {
  readonly node: GraphNode;
  /** Edges that end and begin there. */
  readonly ins: number;
  readonly outs: number;
  readonly observation: Observation;
}

export const nodeFeatures: FeatureTable<NodeSubject> = {
  name: "node",
  quantities: [
    known("params", ({ node }) => log(node.params)),
    known("flops", ({ node }) => log(node.flops)),
    known("paramsShare", ({ node, observation: { host } }) => ratio(node.params, host.params)),
    known("flopsShare", ({ node, observation: { host } }) => ratio(node.flops, host.flops)),
    known("channels", ({ node }) => log(node.channels)),
    known("pixels", ({ node }) => log(node.pixels)),
    known("depth", ({ node }) => node.depth),
    known("ins", ({ ins }) => log(ins)),
    known("outs", ({ outs }) => log(outs)),
  ],
  flags: ({ node }, rows, at) => oneHot(OP_CLASSES, node.op, rows, at),
  flagCount: OP_CLASSES.length,
};

/** Blueprints that a policy can tell apart, besides all that it cannot. */
const MAX_BLUEPRINTS = 15;

/** Writes a 1 at the place of a blueprint in the policy's list, at the last where it is not in it; nothing for none. */
function blueprintFlag(
  blueprints: readonly string[],
  name: string | null,
  rows: Float32Array,
  at: number,
): void {
  if (name === null) return;
  const place = blueprints.indexOf(name);
  rows[at + (place < 0 ? MAX_BLUEPRINTS : Math.min(place, MAX_BLUEPRINTS))] = 1;
}

interface SlotSubject {
  readonly slot: SlotObservation;
  readonly observation: Observation;
  readonly blueprints: readonly string[];
}

const ofMeasurement = (
  name: string,
  of: (slot: SlotObservation) => Measurement | null,
): Quantity<SlotSubject>[] => [
  measured(`${name}.mean`, ({ slot }) => orNull(of(slot), ({ mean }) => nats(mean))),
  measured(`${name}.se`, ({ slot }) => orNull(of(slot), ({ se }) => nats(se))),
  // How many standard errors it is away from zero.
  measured(`${name}.certainty`, ({ slot }) => orNull(of(slot), ({ mean, se }) => log(mean / se))),
];

export const slotFeatures: FeatureTable<SlotSubject> = {
  name: "slot",
  quantities: [
    known("alpha", ({ slot }) => slot.alpha),
    known("ticksInStage", ({ slot }) => log(slot.ticksInStage)),
    known("age", ({ slot }) => log(slot.age)),
    known("embargoTicks", ({ slot }) => log(slot.embargoTicks)),
    known("hostParams", ({ slot }) => log(slot.hostParams)),
    known("params", ({ slot, observation: { host } }) => ratio(slot.params, host.params)),
    known("flops", ({ slot, observation: { host } }) => ratio(slot.flops, host.flops)),
    measured(
      "gradRatio",
      ({ slot: { gradNorm, hostGradNorm } }) =>
        gradNorm === null || hostGradNorm === null ? null : Math.log(gradNorm / hostGradNorm),
    ),
    measured(
      "hostGradient",
      ({ slot: { hostGradNorm, hostParams } }) =>
        orNull(hostGradNorm, (norm) => Math.log(norm / Math.sqrt(Math.max(1, hostParams)))),
    ),
    ...ofMeasurement("advantage", ({ advantage }) => advantage),
    ...ofMeasurement("removal", ({ removal }) => removal),
    measured("removal.age", ({ slot }) => orNull(slot.removal, ({ age }) => log(age))),
    ...HEALTH.flatMap((quantity): Quantity<SlotSubject>[] => [
      measured(quantity, ({ slot }) => orNull(slot.health[quantity].value, nats)),
      measured(`${quantity}.slope`, ({ slot }) => orNull(slot.health[quantity].slope, nats)),
    ]),
  ],
  flags({ slot, blueprints }, rows, at) {
    oneHot(STAGES, slot.stage, rows, at);
    blueprintFlag(blueprints, slot.blueprint, rows, at + STAGES.length);
  },
  flagCount: STAGES.length + MAX_BLUEPRINTS + 1,
};

/** Loss lost per tick over the last `ticks` ticks. */
const slope = (ticks: number): Quantity<Observation> =>
  measured(
    `slope${ticks}`,
    ({ controlHistory: losses }) =>
      losses.length > ticks ? nats((losses.at(-1 - ticks)! - losses.at(-1)!) / ticks) : null,
  );

const share = (name: string, holds: (slot: SlotObservation) => boolean) =>
  known<Observation>(name, ({ slots }) => ratio(slots.filter(holds).length, slots.length));

/** Parameters or FLOPs that the host and the seeds in its slots have. */
function used({ host, slots }: Observation, what: "params" | "flops"): number {
  return slots.reduce((total, slot) => total + slot[what], host[what]);
}

export const globalFeatures: FeatureTable<Observation> = {
  name: "global",
  quantities: [
    known("progress", ({ progress }) => progress),
    known("tick", ({ tick }) => log(tick)),
    known("ticksLeft", ({ ticksLeft }) => log(ticksLeft)),
    known("slots", ({ slots }) => log(slots.length)),
    share("live", ({ stage }) => LIVE_STAGES.includes(stage)),
    share("fossils", ({ stage }) => stage === "FOSSILIZED"),
    share("free", ({ stage }) => stage === "DORMANT"),
    known("liveSeeds", ({ slots }) => slots.filter(({ stage }) => LIVE_STAGES.includes(stage)).length),
    known("hostParams", ({ host }) => log(host.params)),
    known("hostFlops", ({ host }) => log(host.flops)),
    known("paramsUsed", (o) => ratio(used(o, "params"), o.budget.params)),
    known("flopsUsed", (o) => ratio(used(o, "flops"), o.budget.flops)),
    known("legal", ({ legal }) => log(legal.length)),
    measured("trainLoss", ({ trainLoss }) => orNull(trainLoss, nats)),
    measured("controlLoss", ({ controlLoss }) => orNull(controlLoss, nats)),
    measured(
      "gap",
      ({ trainLoss, controlLoss }) =>
        trainLoss === null || controlLoss === null ? null : nats(controlLoss - trainLoss),
    ),
    measured(
      "aboveBest",
      ({ controlLoss, controlHistory }) =>
        orNull(
          controlLoss,
          (loss) => nats(loss - controlHistory.reduce((best, other) => Math.min(best, other), loss)),
        ),
    ),
    slope(1),
    slope(4),
    slope(8),
  ],
  flags() {},
  flagCount: 0,
};

interface ActionSubject {
  readonly action: Action;
  readonly observation: Observation;
  readonly blueprints: readonly string[];
}

const KINDS: readonly Action["kind"][] = ["wait", "germinate", "advance", "prune", "fossilize"];

/** Kinds of nodes that seeds are made of. */
const SEED_OPS = OP_CLASSES.filter((op) => op !== "input" && op !== "slot");

const blueprintOf = (action: Action) => action.kind === "germinate" ? action.blueprint : null;

/** What would be sown; null where nothing would. */
function traitsOf({ action, observation }: ActionSubject): SeedTraits | null {
  if (action.kind !== "germinate") return null;
  return observation.candidates[action.slot]?.[action.blueprint] ?? null;
}

/** Of all of these one flag says whether they are known. */
const ofSeed = (
  name: string,
  of: (traits: SeedTraits, observation: Observation) => number,
): Quantity<ActionSubject> => ({
  name,
  // Many of them are asked for in every decision: nothing is made on the way.
  of(subject) {
    const traits = traitsOf(subject);
    return traits === null ? null : of(traits, subject.observation);
  },
  measured: false,
});

export const actionFeatures: FeatureTable<ActionSubject> = {
  name: "action",
  quantities: [
    ofSeed("params", ({ params }) => log(params)),
    ofSeed("flops", ({ flops }) => log(flops)),
    ofSeed("paramsShare", ({ params }, { host }) => ratio(params, host.params)),
    ofSeed("flopsShare", ({ flops }, { host }) => ratio(flops, host.flops)),
    ofSeed(
      "paramsLeft",
      ({ params }, o) => ratio(o.budget.params - used(o, "params") - params, o.host.params),
    ),
    ofSeed("flopsLeft", ({ flops }, o) => ratio(o.budget.flops - used(o, "flops") - flops, o.host.flops)),
    // Seeds of the same blueprint that the network has.
    {
      name: "siblings",
      of: ({ action, observation: { slots } }) =>
        orNull(
          blueprintOf(action),
          (name) => slots.reduce((count, { blueprint }) => count + Number(blueprint === name), 0),
        ),
      measured: false,
    },
    ...SEED_OPS.map((op) => ofSeed(`ops.${op}`, ({ ops }) => ops[op] ?? 0)),
  ],
  flags(subject, rows, at) {
    oneHot(KINDS, subject.action.kind, rows, at);
    blueprintFlag(subject.blueprints, blueprintOf(subject.action), rows, at + KINDS.length);
    if (traitsOf(subject) !== null) rows[at + KINDS.length + MAX_BLUEPRINTS + 1] = 1;
  },
  flagCount: KINDS.length + MAX_BLUEPRINTS + 2,
};

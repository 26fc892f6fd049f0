import { z } from "zod";
import type { Observation } from "../../contracts/control.ts";
import type { Feeds } from "../../engine/compile/reference.ts";
import { stepInput, type Tensor } from "../../engine/graph/tensor.ts";
import type { Init } from "../../engine/nn/init.ts";
import { dense } from "../../engine/nn/layers.ts";
import type { Scope } from "../../engine/nn/scope.ts";
import { add, relu } from "../../engine/ops/elementwise.ts";
import { matmul } from "../../engine/ops/matmul.ts";
import { segmentMax, segmentMean, segmentSum, transposed } from "../../engine/ops/segment.ts";
import { concat, reshape } from "../../engine/ops/shape.ts";
import { UserError } from "../../util/errors.ts";
import type { PolicyNetwork } from "../rl/types.ts";
import { adaptTo, batchShape, encodeBatch, type GraphBatch, listSizes, type Normalisers } from "./batch.ts";
import { Normaliser, widthOf } from "./feature_table.ts";
import { actionFeatures, globalFeatures, nodeFeatures, slotFeatures } from "./features.ts";
import { segmentInputs } from "./lists.ts";

const WIDTH = 64;
const ROUNDS = 3;
/** Of the value's hidden layer. */
const VALUE_WIDTH = 32;

/** He-normal, for a layer whose result is added to those of others: all together see `fanIn` numbers. */
const he = (fanIn: number): Init => ({ kind: "he", fanIn });
/** Nearly 0: every action is about as likely as any other at first (Huang et al. 2022, detail 2). */
const FAINT = he(2 * WIDTH / 0.01 ** 2);

const Saved = z.strictObject({
  blueprints: z.array(z.string().min(1)),
  moments: z.strictObject({
    node: z.unknown(),
    slot: z.unknown(),
    global: z.unknown(),
    action: z.unknown(),
  }),
});

/**
 * The policy that sees the network as a graph: three rounds of messages along the flow of data, forwards and backwards with
 * weights of their own, a node being its own neighbour (Kipf & Welling 2017) and its state carried on beside; a score for every legal action from its slot's node, what it is, and the whole; and the value of
 * the whole. Whatever the order of nodes, slots and actions, the scores are theirs and the value is the same.
 *
 * @param blueprints Those that it can tell apart by more than their numbers, at most 15; their order is for good.
 */
export function createGraphPolicy(blueprints: readonly string[]): PolicyNetwork<Observation> {
  let names = [...blueprints];
  const normalisers: Normalisers = {
    node: new Normaliser(nodeFeatures),
    slot: new Normaliser(slotFeatures),
    global: new Normaliser(globalFeatures),
    action: new Normaliser(actionFeatures),
  };
  return {
    name: `graph ${WIDTH}x${ROUNDS} 1`,
    shapeFor: batchShape,
    forward: (scope, shape) => trace(scope, shape as GraphBatch),
    encode: (observations, shape, into): Feeds =>
      encodeBatch(observations, shape as GraphBatch, normalisers, names, into),
    adapt(observations) {
      for (const observation of observations) adaptTo(observation, normalisers, names);
    },
    save: () => ({
      blueprints: names,
      moments: {
        node: normalisers.node.save(),
        slot: normalisers.slot.save(),
        global: normalisers.global.save(),
        action: normalisers.action.save(),
      },
    }),
    restore(state) {
      const saved = Saved.safeParse(state);
      if (!saved.success) {
        const { path, message } = saved.error.issues[0];
        throw new UserError(`policy: want its normalisation, got trouble at ${path.join(".")}: ${message}`);
      }
      names = saved.data.blueprints;
      for (const kind of ["node", "slot", "global", "action"] as const) {
        normalisers[kind].restore(saved.data.moments[kind]);
      }
    },
  };
}

/** x · w, without a bias. */
function linear(scope: Scope, name: string, x: Tensor, fanIn = x.shape[1]): Tensor {
  return matmul(x, scope.parameter(`${name}/weight`, [x.shape[1], WIDTH], he(fanIn), true));
}

function trace(scope: Scope, shape: GraphBatch) {
  const { batch, actions } = shape;
  const sizes = listSizes(shape);
  const flow = segmentInputs("flow", sizes.flow), graph = segmentInputs("graph", sizes.graph);
  const nodes = stepInput("nodes", [shape.nodes, widthOf(nodeFeatures)]);
  const slots = stepInput("slots", [shape.slots, widthOf(slotFeatures)]);
  const globals = stepInput("globals", [batch, widthOf(globalFeatures)]);
  const acts = stepInput("actions", [batch * actions, widthOf(actionFeatures)]);
  const mask = stepInput("mask", [batch, actions]);

  const slotted = segmentInputs("slot", sizes.slot);
  const ofSlots = segmentSum(linear(scope, "slots", slots), slotted);
  let h = relu(add(dense(scope, "nodes", nodes, WIDTH), ofSlots));
  for (let round = 1; round <= ROUNDS; round++) {
    const inner = scope.scope(`round${round}`), fanIn = 2 * WIDTH;
    const forwards = dense(inner, "forwards", segmentMean(h, flow), WIDTH, he(fanIn));
    const backwards = linear(inner, "backwards", segmentMean(h, transposed(flow)), fanIn);
    h = add(h, relu(add(forwards, backwards)));
  }
  const pooled = concat([segmentMean(h, graph), segmentMax(h, graph)], 1);
  const whole = relu(add(dense(scope, "pooled", pooled, WIDTH), linear(scope, "globals", globals)));

  const hidden = relu(dense(scope, "value1", whole, VALUE_WIDTH));
  const values = reshape(dense(scope, "value2", hidden, 1, he(2 * VALUE_WIDTH)), [batch]);

  // WAIT concerns no slot.
  const ofSlot = linear(scope, "slot", segmentSum(h, transposed(slotted)));
  const concerned = segmentSum(ofSlot, segmentInputs("action", sizes.action));
  const perAction = reshape(add(dense(scope, "actions", acts, WIDTH), concerned), [batch, actions, WIDTH]);
  const context = reshape(linear(scope, "context", whole), [batch, 1, WIDTH]);
  const scored = reshape(relu(add(perAction, context)), [batch * actions, WIDTH]);
  const logits = reshape(dense(scope, "score", scored, 1, FAINT), [batch, actions]);
  return { logits, mask, values };
}

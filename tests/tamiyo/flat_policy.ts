/** A small policy for one task, or several with the same slots: no graph, two dense layers, a score for each action by its name. */
import type { Action, Observation, SlotObservation } from "../../src/contracts/control.ts";
import { STAGES } from "../../src/contracts/lifecycle.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { dense } from "../../src/engine/nn/layers.ts";
import { mul, tanh } from "../../src/engine/ops/elementwise.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import type { PolicyNetwork } from "../../src/tamiyo/rl/types.ts";

const WIDTH = 32;

const nameOf = (action: Action) =>
  action.kind === "wait"
    ? "wait"
    : [action.kind, action.slot, action.kind === "germinate" ? action.blueprint : ""].join(" ");

/** Every action that a network with these slots and blueprints may ever offer. */
function namesOf(slots: readonly string[], blueprints: readonly string[]): string[] {
  const kinds = ["advance", "prune", "fossilize"] as const;
  return [
    "wait",
    ...slots.flatMap((slot) => [
      ...blueprints.map((blueprint) => nameOf({ kind: "germinate", slot, blueprint })),
      ...kinds.map((kind) => nameOf({ kind, slot })),
    ]),
  ];
}

export function createFlatPolicy(
  slots: readonly string[],
  blueprints: readonly string[],
): PolicyNetwork<Observation> {
  const names = namesOf(slots, blueprints), perSlot = STAGES.length + blueprints.length + 3;
  const width = 2 + slots.length * perSlot;
  const seen = ({ stage, blueprint, ticksInStage, advantage, removal }: SlotObservation) => [
    ...STAGES.map((name) => Number(name === stage)),
    ...blueprints.map((name) => Number(name === blueprint)),
    ticksInStage / 10,
    10 * (advantage?.mean ?? 0),
    10 * (removal?.mean ?? 0),
  ];
  return {
    name: "flat 1",
    shapeFor: (observations) => ({ batch: Math.max(1, observations.length), actions: names.length }),
    forward(scope, { batch, actions }) {
      const mask = stepInput("mask", [batch, actions]);
      const places = stepInput("places", [batch, actions, names.length]);
      let h = stepInput("state", [batch, width]);
      for (const layer of ["first", "second"]) h = tanh(dense(scope, layer, h, WIDTH));
      const faint = { kind: "he", fanIn: WIDTH / 0.01 ** 2 } as const;
      const all = reshape(dense(scope, "scores", h, names.length, faint), [batch, 1, names.length]);
      const values = reshape(dense(scope, "value", h, 1), [batch]);
      return { logits: sum(mul(places, all), [2]), mask, values };
    },
    encode(observations, { batch, actions }) {
      const mask = new Float32Array(batch * actions);
      const places = new Float32Array(batch * actions * names.length);
      const state = new Float32Array(batch * width);
      for (let k = 0; k < batch; k++) {
        const observation = observations[k];
        mask[k * actions] = 1;
        if (!observation) continue;
        const { legal, progress, ticksLeft, slots } = observation;
        for (const [at, action] of legal.entries()) {
          mask[k * actions + at] = 1;
          places[(k * actions + at) * names.length + names.indexOf(nameOf(action))] = 1;
        }
        state.set([progress, ticksLeft / 20, ...slots.flatMap(seen)], k * width);
      }
      return { mask, places, state };
    },
  };
}

/** Whether a checkpoint that is whole is also one of the network that is to go on from it. */
import type { ParameterStore } from "../engine/optim/parameter_store.ts";
import type { SavedState } from "../tolaria/mod.ts";
import { UserError } from "../util/errors.ts";
import { formatShape, sameShape } from "../util/shape.ts";
import type { ReadCheckpoint } from "./checkpoint.ts";
import type { Network } from "./network.ts";

/**
 * Checks that a checkpoint holds every parameter of the network with the seeds that it names, each in its shape, and as
 * many numbers as the store has room for.
 *
 * @throws {UserError} naming the first thing that it does not.
 */
export function checkFit(
  { checkpoint: { present, blessed }, name }: Pick<ReadCheckpoint, "checkpoint" | "name">,
  network: Pick<Network, "parametersOf">,
  store: Pick<ParameterStore, "count" | "buffers">,
): void {
  for (const saved of [present, blessed]) {
    const fault = numbersFault(saved, store) ?? parametersFault(saved, network);
    if (fault) throw new UserError(`checkpoint ${name}: ${fault}; restore it or go back to an older one`);
  }
}

function numbersFault({ numbers }: SavedState, store: Pick<ParameterStore, "count" | "buffers">) {
  const want = store.buffers.length, wrong = numbers.find(({ length }) => length !== store.count);
  if (numbers.length !== want) {
    return `want ${want} blobs of parameters and what belongs to them, got ${numbers.length}`;
  }
  return wrong ? `want ${store.count} numbers in each blob, got ${wrong.length}` : null;
}

function parametersFault({ state, layout }: SavedState, network: Pick<Network, "parametersOf">) {
  const shapes = new Map(layout.places.map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of network.parametersOf(state.progress.running)) {
    const got = shapes.get(name);
    if (got && sameShape(got, shape)) continue;
    return `want parameter ${name} of shape ${formatShape(shape)}, got ${got ? formatShape(got) : "none"}`;
  }
  return null;
}

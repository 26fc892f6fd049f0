import { prng } from "../../util/prng.ts";

/** The order of one epoch: a permutation of 0 to count - 1, the same for the same seed, epoch and count. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  prng(seed, `order/${epoch}`).shuffle(order);
  return order;
}

/** Orders made last; a step needs one or two, and a few runs may take turns. */
const KEPT_ORDERS = 8;
const recent = new Map<string, Uint32Array<ArrayBuffer>>();

/**
 * Positions 0 to count - 1 of the examples of one step: places step * batch and on in the endless row of epoch orders, so
 * that each example is met exactly once an epoch and a resumed run needs only its step number.
 */
export function batchIndices(
  seed: number,
  step: number,
  batch: number,
  count: number,
): Uint32Array<ArrayBuffer> {
  if (count < 1 || batch < 1) {
    throw new Error(`batch: want a batch and a training set of at least 1, got ${batch} and ${count}`);
  }
  const indices = new Uint32Array(batch);
  for (let i = 0, place = step * batch; i < batch;) {
    const epoch = Math.floor(place / count), from = place - epoch * count;
    const length = Math.min(batch - i, count - from);
    indices.set(keptOrder(seed, epoch, count).subarray(from, from + length), i);
    i += length;
    place += length;
  }
  return indices;
}

function keptOrder(seed: number, epoch: number, count: number): Uint32Array<ArrayBuffer> {
  const key = `${seed}/${epoch}/${count}`;
  let order = recent.get(key);
  if (order === undefined) {
    order = epochOrder(seed, epoch, count);
    if (recent.size >= KEPT_ORDERS) recent.delete(recent.keys().next().value!);
    recent.set(key, order);
  }
  return order;
}

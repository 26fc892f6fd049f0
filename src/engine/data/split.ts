import { UserError } from "../../util/errors.ts";
import { prng } from "../../util/prng.ts";

/** How many training examples go where; of the rest at most `trainLimit` train, all of them without it. */
export interface SplitOptions {
  control: number;
  validation: number;
  trainLimit?: number | undefined;
}

/** Disjoint lists of training-set positions; the classes take turns in each, so every stretch is nearly balanced. */
export interface Split {
  train: Uint32Array<ArrayBuffer>;
  control: Uint32Array<ArrayBuffer>;
  validation: Uint32Array<ArrayBuffer>;
}

/**
 * Splits the training set by seed. Each part has the same number of every class, give or take one, unless a class has
 * run out; control and validation are the same whatever `trainLimit` is.
 *
 * @throws where control and validation leave nothing to train on.
 */
export function splitTrain(
  labels: Uint8Array,
  classes: number,
  { control, validation, trainLimit }: SplitOptions,
  seed: number,
): Split {
  const left = labels.length - control - validation;
  if (left < 1) {
    throw new UserError(
      `split: want ${control} control and ${validation} validation examples and at least 1 to train on, ` +
        `got ${labels.length} in all; lower data.split`,
    );
  }
  const pools = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, i) => pools[label].push(i));
  pools.forEach((pool, label) => prng(seed, `split/${label}`).shuffle(pool));
  return {
    control: deal(pools, control),
    validation: deal(pools, validation),
    train: deal(pools, Math.min(left, trainLimit ?? left)),
  };
}

/** Takes `count` numbers from the ends of the pools, one a pool in turn, passing over empty pools. */
function deal(pools: number[][], count: number): Uint32Array<ArrayBuffer> {
  const taken = new Uint32Array(count);
  for (let i = 0, turn = 0; i < count; turn++) {
    const next = pools[turn % pools.length].pop();
    if (next !== undefined) taken[i++] = next;
  }
  return taken;
}

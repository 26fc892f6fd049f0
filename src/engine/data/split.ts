import { UserError } from "../../util/errors.ts";
import { prng } from "../../util/prng.ts";

/** How many training examples go where; without `trainLimit` the rest all train. */
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
 * @throws where the parts together want more examples than there are, or nothing is left to train on.
 */
export function splitTrain(
  labels: Uint8Array,
  classes: number,
  { control, validation, trainLimit }: SplitOptions,
  seed: number,
): Split {
  const left = labels.length - control - validation, wanted = trainLimit ?? left;
  if (left < 1 || wanted > left || wanted < 1) {
    throw new UserError(
      `split: want ${control} control, ${validation} validation and ${
        trainLimit ?? "at least 1"
      } training examples, ` +
        `got ${labels.length} examples; lower data.split or data.trainLimit`,
    );
  }
  const pools = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, i) => pools[label].push(i));
  pools.forEach((pool, label) => prng(seed, `split/${label}`).shuffle(pool));
  return {
    control: deal(pools, control),
    validation: deal(pools, validation),
    train: deal(pools, wanted),
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

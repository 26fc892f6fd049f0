/** What a network in training is shown to do: where it draws its boundaries, and what it gets wrong. */
import type { LoadedDataset } from "../app/loaded_dataset.ts";
import type { LiveRun } from "../app/live_run.ts";
import { sizeOf } from "../util/shape.ts";
import type { Examples } from "../engine/data/dataset.ts";
import { normalised, validationOf } from "./data.ts";
import type { Map2d, Mistake, Scored } from "./protocol.ts";

/** Points along a side of the map, and how far it reaches from the middle. */
const SIDE = 64, REACH = 1.15;
/** Most mistakes that are shown. */
const MISTAKES = 24;
/** Points of the data that are drawn over the map. */
const POINTS = 600;

/** Examples held out, ready to be looked at again and again. */
export interface Gallery {
  readonly examples: Examples;
  readonly points: Float32Array<ArrayBuffer>;
  /** Loss, accuracy, and every example's probabilities. */
  score(run: LiveRun): Promise<Scored & { probabilities: Float32Array }>;
  /** Null for images. */
  map(run: LiveRun): Promise<Map2d | null>;
  mistakes(probabilities: Float32Array): { mistakes: Mistake[]; wrong: number };
}

/** Index and value of the largest number. */
function largest(values: Float32Array): [number, number] {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return [best, values[best]];
}

export function createGallery(data: LoadedDataset, seed: number): Gallery {
  const { dataset } = data, images = dataset.kind === "images", classes = dataset.classes.length;
  const examples = validationOf(data, seed), size = sizeOf(dataset.shape);
  const rows = (probabilities: Float32Array) =>
    Array.from(
      { length: probabilities.length / classes },
      (_, k) => largest(probabilities.subarray(k * classes, (k + 1) * classes)),
    );

  async function score(run: LiveRun) {
    const probabilities = await run.onlooker.probabilities(
      normalised(examples.data, 1 / 255, run.session.input),
    );
    let loss = 0, hits = 0;
    for (const [k, [said]] of rows(probabilities).entries()) {
      loss -= Math.log(Math.max(1e-12, probabilities[k * classes + examples.labels[k]]));
      if (said === examples.labels[k]) hits++;
    }
    return { loss: loss / examples.count, accuracy: hits / examples.count, probabilities };
  }

  async function map(run: LiveRun): Promise<Map2d | null> {
    if (images) return null;
    const grid = new Float32Array(2 * SIDE * SIDE), at = (k: number) => REACH * (2 * (k + 0.5) / SIDE - 1);
    for (let y = 0, k = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        grid[k++] = at(x);
        grid[k++] = -at(y);
      }
    }
    const found = rows(await run.onlooker.probabilities(grid));
    return {
      side: SIDE,
      reach: REACH,
      classes: Uint8Array.from(found, ([said]) => said),
      sure: Uint8Array.from(found, ([, probability]) => Math.round(255 * probability)),
    };
  }

  function mistakes(probabilities: Float32Array) {
    const wrong = rows(probabilities).map(([said, sure], k) => ({ k, said, sure, label: examples.labels[k] }))
      .filter(({ said, label }) => said !== label);
    const worst = wrong.toSorted((a, b) => b.sure - a.sure).slice(0, MISTAKES);
    return {
      wrong: wrong.length,
      mistakes: worst.map(({ k, ...rest }) => ({
        ...rest,
        pixels: Uint8Array.from(examples.data.subarray(k * size, (k + 1) * size)),
      })),
    };
  }

  const shown = images ? 0 : Math.min(POINTS, examples.count);
  const points = new Float32Array(3 * shown);
  for (let k = 0; k < shown; k++) {
    points.set([examples.data[2 * k], examples.data[2 * k + 1], examples.labels[k]], 3 * k);
  }
  return { examples, points, score, map, mistakes };
}

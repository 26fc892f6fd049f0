import { UserError } from "../../util/errors.ts";
import { prng } from "../../util/prng.ts";
import type { Dataset } from "./dataset.ts";
import { sha256OfParts } from "./dataset.ts";

/** What `spirals` makes: one class an arm, `test` of the `count` points as test set; noise is a coordinate's deviation. */
export interface SpiralOptions {
  /** Arms, at least 2. */
  classes: number;
  /** Points in all. */
  count: number;
  /** Points of these that are test points. */
  test: number;
  /** Standard deviation around the arm, in units of the radius. */
  noise: number;
  /** Turns of an arm around the centre. */
  turns: number;
}

/**
 * Interleaved spiral arms in the unit disc: points f32 [count, 2], the same for the same seed. Point i belongs to arm
 * i mod classes and lies at a radius r drawn evenly from [0.05, 1), angle 2 pi (arm / classes + turns r), plus normal noise. The
 * SHA-256 is that of the training points and labels and the test points and labels as bytes.
 *
 * @throws where the test set would take every point.
 */
export async function spirals(seed: number, options: SpiralOptions): Promise<Dataset> {
  const { classes, count, test: testCount } = options;
  if (testCount >= count) {
    throw new UserError(
      `spirals: want a test set smaller than all ${count} points, got ${testCount}; lower data.split.test`,
    );
  }
  const train = drawPoints(seed, "spirals/train", count - testCount, options);
  const test = drawPoints(seed, "spirals/test", testCount, options);
  const parts = [train, test].flatMap(({ data, labels }) => [new Uint8Array(data.buffer), labels]);
  return {
    name: "spirals",
    sha256: await sha256OfParts(parts),
    kind: "points",
    shape: [2],
    classes: Array.from({ length: classes }, (_, arm) => `arm ${arm}`),
    train,
    test,
  };
}

function drawPoints(seed: number, stream: string, count: number, { classes, noise, turns }: SpiralOptions) {
  const random = prng(seed, stream);
  const data = new Float32Array(2 * count), labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const arm = i % classes, radius = 0.05 + 0.95 * random.uniform();
    const angle = 2 * Math.PI * (arm / classes + turns * radius);
    data[2 * i] = radius * Math.cos(angle) + noise * random.normal();
    data[2 * i + 1] = radius * Math.sin(angle) + noise * random.normal();
    labels[i] = arm;
  }
  return { count, data, labels };
}

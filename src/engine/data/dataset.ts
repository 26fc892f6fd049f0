import { sha256 } from "../../util/hash.ts";
import { sizeOf } from "../../util/shape.ts";

/** Examples in storage order: `data` is images u8 [count, H, W, C] or points f32 [count, F]; labels are class numbers. */
export interface Examples {
  /** How many. */
  count: number;
  /** Row-major, example after example. */
  data: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** Class number of each example. */
  labels: Uint8Array<ArrayBuffer>;
}

/** A classification data set, wholly in memory; `train` is split further by `splitTrain`, `test` is opened last. */
export interface Dataset {
  /** As runs and reports call it. */
  name: string;
  /** SHA-256 in hex of the source bytes, as the parser that made the data set says. */
  sha256: string;
  /** Images are normalised by the training set's mean and deviation in each channel; points are taken as they are. */
  kind: "images" | "points";
  /** One example: [H, W, C] or [F]. */
  shape: number[];
  /** Class names; a label is an index into them. */
  classes: string[];
  /** What is trained on, and what is set aside for evidence and validation. */
  train: Examples;
  /** What no decision rests on. */
  test: Examples;
}

/** A source file's name, as errors print it, and what is in it. */
export interface SourceFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The examples that `indices` names, in that order, copied: data [indices.length, ...shape]. */
export function selectExamples(
  examples: Examples,
  shape: readonly number[],
  indices: ArrayLike<number>,
): Examples {
  const size = sizeOf(shape), count = indices.length;
  const data = examples.data instanceof Uint8Array
    ? new Uint8Array(count * size)
    : new Float32Array(count * size);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    data.set(examples.data.subarray(indices[i] * size, (indices[i] + 1) * size), i * size);
    labels[i] = examples.labels[indices[i]];
  }
  return { count, data, labels };
}

/** SHA-256 in hex of the parts laid end to end. */
export async function sha256OfParts(parts: readonly Uint8Array[]): Promise<string> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return await sha256(whole);
}

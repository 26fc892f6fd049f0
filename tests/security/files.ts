/** Good files that several readers share. */
import { encodeNumbers } from "../../src/contracts/saved_number.ts";
import { usageError } from "../../src/util/errors.ts";
import { parseJson } from "../../src/util/json.ts";
import { trainerState } from "../support/checkpoints.ts";
import { tinyConfig } from "../support/session.ts";

export const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** As every command reads JSON. */
export function json(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw usageError(`file: want JSON, got: ${(error as Error).message}`);
  }
}

export const points = tinyConfig("points"), images = tinyConfig("images");

const state = encodeNumbers(trainerState(4, ["layer1", "layer2"], {
  layer1: { seed: "layer1/1", blueprint: "affine", mode: "fossil" },
}));
const names = ["layer1/weight", "layer1/bias", "layer2/weight", "layer2/bias", "head/weight", "head/bias"];
const shapes = [[2, 8], [8], [8, 8], [8], [8, 3], [3]];
const places = [
  ...names.map((name, k) => ({ name, shape: shapes[k], decay: true, group: "host", block: k })),
  ...["gamma", "scaled/weight", "shifted/weight"].map((name, k) => ({
    ...{ name: `seed/layer1/1/${name}`, shape: [8], decay: false, group: "host", block: 6 + k },
  })),
];
/** The blob of a checkpoint. */
export const NUMBERS = new Uint8Array(9 * 256);

const saved = { state, layout: { groups: ["host"], places }, numbers: ["BLOB", "BLOB"] };
/** What a store has room for, as far as a checkpoint is held against it. */
export const PLACE = { count: NUMBERS.length / 4, buffers: [{}, {}] as never };

/** A checkpoint, `BLOB` standing for the hash of its numbers. */
export const manifest = {
  ...{ version: 3, config: "c", logs: { "events.jsonl": 7 }, controlLoss: 0.5 },
  ...{ present: saved, blessed: saved },
};

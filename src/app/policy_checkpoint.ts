/** What a training of a policy goes on from: a manifest over blobs, written last. */
import { z } from "zod";
import type { Store } from "../urza/mod.ts";
import { UserError } from "../util/errors.ts";
import type { LogLengths } from "./checkpoint.ts";

const VERSION = 1, KIND = "checkpoint", NAME = "newest";
const CURE = "begin a new training";

const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits");

const Checkpoint = z.strictObject({
  version: z.literal(VERSION),
  /** Of the configuration: how long a training may last is not part of it. */
  config: hash,
  logs: z.record(z.string(), count),
  /** Iterations of PPO done; cloning is over once there is a checkpoint. */
  iteration: count,
  /** Episodes learned from, by task; of the simulator together. */
  episodes: z.record(z.string(), count),
  /** Blueprints met. */
  blueprints: z.array(z.string()),
  /** The best evaluation, and the policy file that it was of. */
  best: z.strictObject({ score: z.number(), iteration: count, file: hash }).nullable(),
  /** Hash of all episodes learned from, in order. */
  data: hash,
  /** Of the network: how features are normalised. */
  normalisation: z.json(),
  /** Updates done, and the sizes that batches are padded to. */
  learner: z.strictObject({
    updates: count,
    shape: z.object({ batch: count, actions: count }).catchall(count).nullable(),
  }),
  /** Weights and moments. */
  numbers: z.array(hash),
});
type Kept = z.output<typeof Checkpoint>;

/** Where a training stands; numbers as they are. */
export interface PolicyCheckpoint extends Omit<Kept, "version" | "config" | "logs" | "numbers"> {
  readonly numbers: readonly Float32Array<ArrayBuffer>[];
}

/** Keeps a checkpoint in place of the one there was. */
export async function writePolicyCheckpoint(
  store: Store,
  { numbers, ...state }: PolicyCheckpoint,
  { config, logs }: { config: string; logs: LogLengths },
): Promise<void> {
  const hashes: string[] = [];
  for (const array of numbers) hashes.push(await store.put(new Uint8Array(array.buffer)));
  await store.writeManifest(KIND, NAME, { ...state, version: VERSION, config, logs, numbers: hashes });
  await store.collect();
}

/**
 * What a training goes on from; null where it had no checkpoint yet.
 *
 * @throws {UserError} where it is broken, or of another configuration.
 */
export async function readPolicyCheckpoint(
  store: Store,
  config: string,
): Promise<{ checkpoint: PolicyCheckpoint; logs: LogLengths } | null> {
  if (!(await store.listManifests(KIND)).includes(NAME)) return null;
  const parsed = Checkpoint.safeParse(await store.readManifest(KIND, NAME));
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new UserError(`checkpoint: ${path.join(".") || "manifest"}: ${message}; ${CURE}`);
  }
  const { version: _, config: own, logs, numbers, ...state } = parsed.data;
  if (own !== config) {
    throw new UserError(
      `checkpoint: was written under another configuration; restore config.json or ${CURE}`,
    );
  }
  const arrays: Float32Array<ArrayBuffer>[] = [];
  for (const hash of numbers) {
    const bytes = await store.get(hash);
    if (bytes.length % 4 !== 0) {
      throw new UserError(`checkpoint: want whole float32 numbers, got ${bytes.length} bytes; ${CURE}`);
    }
    arrays.push(new Float32Array(bytes.slice().buffer));
  }
  return { checkpoint: { ...state, numbers: arrays }, logs };
}

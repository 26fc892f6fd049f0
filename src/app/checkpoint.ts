import { encodeNumbers } from "../contracts/saved_number.ts";
import { ParameterStore } from "../engine/optim/parameter_store.ts";
import type { Checkpoint, SavedState } from "../tolaria/mod.ts";
import type { Hash, Store } from "../urza/mod.ts";
import { canonicalJson, type Json } from "../util/json.ts";
import { sha256 } from "../util/hash.ts";
import { DamageError, UserError } from "../util/errors.ts";
import { type CheckedManifest, checkManifest, checkPlaces, floatsOf } from "./checkpoint_schema.ts";

const KIND = "checkpoint";
/** Raised whenever what a checkpoint holds changes: an older one lacks what training needs. */
const VERSION = 3;
/** Name of the checkpoint at the end of the tick that had the lowest control loss. */
const BEST = "best";
/** Numbers in a block, the unit of a layout. */
const BLOCK = ParameterStore.sizeOf([{ shape: [1] }]);

/** Bytes of each log that belong to a checkpoint: what comes after them was written later. */
export type LogLengths = Readonly<Record<string, number>>;

/** Name of the checkpoint at a step. */
export const nameOf = (step: number) => `step-${String(step).padStart(9, "0")}`;

/** Hash of a configuration: a checkpoint is only good for its own. */
export async function configHash(config: unknown): Promise<Hash> {
  return await sha256(canonicalJson(config));
}

/** SHA-256 of all parameters: names, shapes and bits, in the order of their names, wherever they lie in memory. */
export async function weightsHash({ layout, numbers: [values] }: SavedState): Promise<Hash> {
  const places = layout.places.toSorted((a, b) => a.name < b.name ? -1 : 1);
  const parts = await Promise.all(places.map(async ({ name, shape, block }) => {
    const size = shape.reduce((product, side) => product * side, 1);
    const bits = new Uint8Array(values.buffer, values.byteOffset + block * BLOCK * 4, size * 4);
    return [name, [...shape], await sha256(bits)];
  }));
  return await sha256(canonicalJson(parts));
}

export interface WrittenCheckpoint {
  readonly name: string;
  /** Why numbers that no checkpoint needs any more could not be removed; null where they were. */
  readonly uncollected: string | null;
}

/**
 * Stores a checkpoint, numbers first and the manifest that names them last. The newest `keep` are kept and, as `best`, the
 * one with the lowest control loss; what is left of steps beyond it is of a past that was taken back.
 */
export async function writeCheckpoint(
  store: Store,
  checkpoint: Checkpoint,
  { config, logs, keep }: { config: Hash; logs: LogLengths; keep: number },
): Promise<WrittenCheckpoint> {
  const save = async ({ state, layout, numbers }: SavedState) => {
    const hashes: Hash[] = [];
    for (const array of numbers) hashes.push(await store.put(new Uint8Array(array.buffer)));
    return { state: encodeNumbers(state), layout, numbers: hashes };
  };
  const { progress } = checkpoint.present.state;
  const controlLoss = progress.stepInTick === 0 ? progress.controlHistory.at(-1) ?? NaN : NaN;
  const manifest = {
    version: VERSION,
    config,
    logs,
    controlLoss: Number.isFinite(controlLoss) ? controlLoss : null,
    present: await save(checkpoint.present),
    blessed: await save(checkpoint.blessed),
  };
  const name = nameOf(progress.step);
  // The best one first: a run that is killed between the two comes here again.
  if (controlLoss < await bestLoss(store)) {
    await store.writeManifest(KIND, BEST, manifest as unknown as Json);
  }
  await store.writeManifest(KIND, name, manifest as unknown as Json);
  const names = await stepsIn(store);
  const kept = names.filter((other) => other <= name).slice(-keep);
  for (const other of names) if (!kept.includes(other)) await store.removeManifest(KIND, other);
  return { name, uncollected: await collect(store) };
}

/** Takes away the damaged checkpoints that a run does not go on from: what is newer is made anew. */
export async function forgetDamaged(store: Store, { name, damaged }: ReadCheckpoint): Promise<void> {
  if (damaged.length === 0) return;
  for (const other of await stepsIn(store)) {
    if (name === BEST || other > name) await store.removeManifest(KIND, other);
  }
}

/** Names of checkpoints by their step, oldest first. */
async function stepsIn(store: Store): Promise<string[]> {
  return (await store.listManifests(KIND)).filter((name) => /^step-\d+$/.test(name)).sort();
}

async function bestLoss(store: Store): Promise<number> {
  if (!(await store.listManifests(KIND)).includes(BEST)) return Infinity;
  try {
    const { controlLoss } = await store.readManifest(KIND, BEST) as { controlLoss?: Json };
    return typeof controlLoss === "number" ? controlLoss : Infinity;
  } catch (error) {
    if (error instanceof DamageError) return Infinity;
    throw error;
  }
}

/** A file that is damaged is no reason to end a run: what it mentions cannot be told, so everything stays. */
async function collect(store: Store): Promise<string | null> {
  try {
    await store.collect();
    return null;
  } catch (error) {
    if (error instanceof DamageError) return error.message;
    throw error;
  }
}

export interface ReadCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly logs: LogLengths;
  readonly name: string;
  /** What is wrong with each newer one, in a line. */
  readonly damaged: readonly string[];
}

/**
 * What a run goes on from: the newest checkpoint that is whole, the best one where none else is; null where none was
 * written yet.
 *
 * @throws {UserError} where all are damaged, or one is of another version or configuration.
 */
export async function readCheckpoint(store: Store, config: Hash): Promise<ReadCheckpoint | null> {
  const newest = (await stepsIn(store)).reverse();
  const best = (await store.listManifests(KIND)).filter((name) => name === BEST);
  const damages: DamageError[] = [];
  for (const name of [...newest, ...best]) {
    try {
      return { ...await load(store, name, config), name, damaged: damages.map(({ message }) => message) };
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      damages.push(error);
    }
  }
  if (damages.length > 0) throw damages[0];
  return null;
}

async function load(
  store: Store,
  name: string,
  config: Hash,
): Promise<Pick<ReadCheckpoint, "checkpoint" | "logs">> {
  const value = await store.readManifest(KIND, name);
  checkVersion(value, name);
  const manifest = checkManifest(value, name);
  if (manifest.config !== config) {
    throw new UserError(
      `checkpoint ${name}: was written under another configuration; restore the run's config.json`,
    );
  }
  const saved = async ({ state, layout, numbers }: CheckedManifest["present"]): Promise<SavedState> => {
    const arrays: Float32Array<ArrayBuffer>[] = [];
    for (const hash of numbers) arrays.push(floatsOf(await store.get(hash), name));
    checkPlaces(layout, arrays[0], name);
    return { state, layout, numbers: arrays };
  };
  const checkpoint = { present: await saved(manifest.present), blessed: await saved(manifest.blessed) };
  return { checkpoint, logs: manifest.logs };
}

function checkVersion(value: Json, name: string): void {
  const version = (value as { version?: Json } | null)?.version;
  if (version === VERSION) return;
  const cure = typeof version === "number" && version < VERSION
    ? "an older Esper wrote it, which can go on with it; this one must begin a new run"
    : "use the Esper that wrote it";
  throw new UserError(`checkpoint ${name}: want version ${VERSION}, got ${JSON.stringify(version)}; ${cure}`);
}

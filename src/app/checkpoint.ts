import { ParameterStore, type StoreLayout } from "../engine/optim/parameter_store.ts";
import type { Checkpoint, SavedState, TrainerState } from "../tolaria/mod.ts";
import type { Hash, Store } from "../urza/mod.ts";
import { canonicalJson, type Json } from "../util/json.ts";
import { sha256 } from "../util/hash.ts";
import { UserError } from "../util/errors.ts";
import { checkManifest, checkPlaces, floatsOf } from "./checkpoint_schema.ts";

const KIND = "checkpoint";
const VERSION = 1;
/** Numbers in a block, the unit of a layout. */
const BLOCK = ParameterStore.sizeOf([{ shape: [1] }]);

/** Bytes of each log that belong to a checkpoint: what comes after them was written later. */
export type LogLengths = Readonly<Record<string, number>>;

interface SavedManifest {
  readonly state: TrainerState;
  readonly layout: StoreLayout;
  /** Blobs of float32 numbers: parameters, then each moment. */
  readonly numbers: readonly Hash[];
}

interface Manifest {
  readonly version: number;
  readonly config: Hash;
  readonly logs: LogLengths;
  readonly present: SavedManifest;
  readonly blessed: SavedManifest;
}

const nameOf = (step: number) => `step-${String(step).padStart(9, "0")}`;

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

/** Stores a checkpoint, numbers first and the manifest that names them last; keeps the newest `keep`. Returns its name. */
export async function writeCheckpoint(
  store: Store,
  checkpoint: Checkpoint,
  { config, logs, keep }: { config: Hash; logs: LogLengths; keep: number },
): Promise<string> {
  const save = async ({ state, layout, numbers }: SavedState): Promise<SavedManifest> => {
    const hashes: Hash[] = [];
    for (const array of numbers) hashes.push(await store.put(new Uint8Array(array.buffer)));
    return { state: encodeNumbers(state) as TrainerState, layout, numbers: hashes };
  };
  const manifest: Manifest = {
    version: VERSION,
    config,
    logs,
    present: await save(checkpoint.present),
    blessed: await save(checkpoint.blessed),
  };
  const name = nameOf(checkpoint.present.state.progress.step);
  await store.writeManifest(KIND, name, manifest as unknown as Json);
  const names = await store.listManifests(KIND);
  for (const old of names.slice(0, -keep)) await store.removeManifest(KIND, old);
  await store.collect();
  return name;
}

/** What a run goes on from; null where no checkpoint was written yet. */
export async function readCheckpoint(
  store: Store,
  config: Hash,
): Promise<{ checkpoint: Checkpoint; logs: LogLengths; name: string } | null> {
  const name = (await store.listManifests(KIND)).at(-1);
  if (name === undefined) return null;
  const value = await store.readManifest(KIND, name);
  const version = (value as { version?: Json } | null)?.version;
  if (version !== VERSION) {
    throw new UserError(
      `checkpoint ${name}: want version ${VERSION}, got ${
        JSON.stringify(version)
      }; use the Esper that wrote it`,
    );
  }
  const manifest = checkManifest(value, name) as unknown as Manifest;
  if (manifest.config !== config) {
    throw new UserError(
      `checkpoint ${name}: was written under another configuration; restore the run's config.json`,
    );
  }
  const load = async ({ state, layout, numbers }: SavedManifest): Promise<SavedState> => {
    const arrays: Float32Array<ArrayBuffer>[] = [];
    for (const hash of numbers) arrays.push(floatsOf(await store.get(hash), name));
    checkPlaces(layout, arrays[0], name);
    return { state: decodeNumbers(state) as TrainerState, layout, numbers: arrays };
  };
  const checkpoint = { present: await load(manifest.present), blessed: await load(manifest.blessed) };
  return { checkpoint, logs: manifest.logs, name };
}

const NON_FINITE: Record<string, number> = { "#NaN": NaN, "#Infinity": Infinity, "#-Infinity": -Infinity };

/** JSON has no NaN and no infinities, which measurements may be: they travel as text. */
function encodeNumbers(value: unknown): unknown {
  return mapLeaves(value, (leaf) => typeof leaf === "number" && !Number.isFinite(leaf) ? `#${leaf}` : leaf);
}

function decodeNumbers(value: unknown): unknown {
  return mapLeaves(
    value,
    (leaf) => typeof leaf === "string" && Object.hasOwn(NON_FINITE, leaf) ? NON_FINITE[leaf] : leaf,
  );
}

function mapLeaves(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, change));
  if (typeof value !== "object" || value === null) return change(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapLeaves(item, change)]));
}

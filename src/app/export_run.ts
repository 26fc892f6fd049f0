import { z } from "zod";
import { RunConfig } from "../contracts/config.ts";
import { EXPORT_VERSION, type ExportedNetwork, NetworkInput } from "../contracts/exported.ts";
import type { SafeTensor } from "../engine/io/safetensors.ts";
import { ParameterStore } from "../engine/optim/parameter_store.ts";
import { findBlueprint } from "../tezzeret/mod.ts";
import { seedPrefix } from "../kasmina/mod.ts";
import type { Store } from "../urza/mod.ts";
import { usageError, UserError } from "../util/errors.ts";
import { type CheckedManifest, checkManifest, checkPlaces, floatsOf } from "./checkpoint_schema.ts";
import { nameOf } from "./checkpoint.ts";
import { foldGamma, type Tensors } from "./export_compact.ts";
import type { NetworkFile } from "./export_file.ts";
import { fossilPrefix, networkOf, specsOf } from "./export_network.ts";
import { hostOfRun } from "./kept_host.ts";
import { plantedPrefix } from "./planted.ts";
import { ESPER_VERSION } from "./versions.ts";

/** What a run folder holds, read but not believed. */
export interface RunContents {
  readonly name: string;
  /** `config.json` and `run.json`. */
  readonly config: unknown;
  readonly record: unknown;
  readonly store: Store;
}

/** What `run.json` says that an export needs. */
const Record = z.looseObject({
  run: z.string(),
  dataset: z.looseObject({ name: z.string() }),
  input: NetworkInput,
});

/**
 * The network of a run's newest checkpoint, or of the one that `wanted` means, as it scores at the end: fossils are part of it,
 * what has not fossilised is left out, and so is all that only training needs. γ of each fossil goes into its weights.
 *
 * @throws {UserError} where the run has no such checkpoint, or anything in its folder is not as Esper wrote it.
 */
export async function networkOfRun(
  { name, config, record, store }: RunContents,
  wanted: string | null = null,
): Promise<NetworkFile> {
  const run = parse(
    Record,
    record,
    `${name}/run.json`,
    "resume the run once with this Esper, which writes it anew",
  );
  const { host: described, growth } = parse(
    RunConfig,
    config,
    `${name}/config.json`,
    "restore the run's own configuration",
  );
  const { present, checkpoint } = await checkpointOf(store, name, wanted);
  const { step, running } = present.state.progress;
  const stayed = [
    ...growth.planted.map(({ slot, blueprint }, k) => ({ slot, blueprint, prefix: plantedPrefix(slot, k) })),
    ...Object.entries(running).filter(([, { mode }]) => mode === "fossil")
      .map(([slot, { seed, blueprint }]) => ({ slot, blueprint, prefix: seedPrefix(seed) })),
  ];
  const value = await numbersOf(store, present, checkpoint);

  const base = await hostOfRun(described, store, name);
  const host = base?.description.host ?? described;
  if (host.kind === "file") throw new Error("internal: the host of a host file is a file");
  const plain: ExportedNetwork = {
    version: EXPORT_VERSION,
    host,
    input: run.input,
    fossils: base?.description.fossils ?? [],
    origin: { run: run.run, step, dataset: run.dataset.name, esper: ESPER_VERSION },
  };
  const tensors: Record<string, SafeTensor> = {};
  for (const spec of specsOf(networkOf(plain, {}))) tensors[spec.name] = value(spec.name);
  const fossils = stayed.map(({ slot, blueprint, prefix: root }) => {
    const prefix = `${root}/`;
    const own = present.layout.places.filter((place) => place.name.startsWith(prefix));
    const numbers: Tensors = Object.fromEntries(
      own.map((place) => [place.name.slice(prefix.length), value(place.name)]),
    );
    const { gamma, ...branch } = numbers;
    if (!gamma) throw broken(checkpoint, `the numbers of ${root}`, "none");
    const folded = foldGamma(
      { blueprint: findBlueprint(blueprint), tensors: branch },
      gamma.data as Float32Array<ArrayBuffer>,
    );
    return { slot, ...folded };
  });
  const grown = fossils.map(({ slot, blueprint }) => ({ slot, blueprint }));
  const description = { ...plain, fossils: [...plain.fossils, ...grown] };
  for (const [k, fossil] of fossils.entries()) {
    const prefix = fossilPrefix(description.fossils, plain.fossils.length + k);
    for (const [tensor, numbers] of Object.entries(fossil.tensors)) tensors[`${prefix}/${tensor}`] = numbers;
  }
  return { description, tensors };
}

function parse<T extends z.ZodType>(schema: T, value: unknown, file: string, cure: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError(`${file}: ${path.join(".") || "file"}: ${message}; ${cure}`);
}

const broken = (checkpoint: string, want: string, got: string) =>
  new UserError(`checkpoint ${checkpoint}: want ${want}, got ${got}; go back to an older one`);

/**
 * Name of the checkpoint that is meant by `newest` (also null), `best`, a step, or its own name.
 *
 * @throws {UserError} where the run has no such checkpoint; the message lists them.
 */
export async function chosenCheckpoint(store: Store, run: string, wanted: string | null): Promise<string> {
  const names = await store.listManifests("checkpoint");
  const newest = names.filter((name) => /^step-\d+$/.test(name)).sort().at(-1);
  if (newest === undefined) {
    throw new UserError(`checkpoint: want a run with one, got ${run}, which has none; let it train a while`);
  }
  if (wanted === null || wanted === "newest") return newest;
  const name = /^\d+$/.test(wanted) ? nameOf(Number(wanted)) : wanted;
  if (names.includes(name)) return name;
  throw usageError(`--checkpoint: want newest, best or a step out of ${stepsOf(names)}, got "${wanted}"`);
}

const stepsOf = (names: readonly string[]) =>
  names.flatMap((name) => name.startsWith("step-") ? [Number(name.slice("step-".length))] : []).join(", ");

async function checkpointOf(
  store: Store,
  run: string,
  wanted: string | null,
): Promise<{ present: CheckedManifest["present"]; checkpoint: string }> {
  const checkpoint = await chosenCheckpoint(store, run, wanted);
  const { present } = checkManifest(await store.readManifest("checkpoint", checkpoint), checkpoint);
  return { present, checkpoint };
}

/** Numbers by parameter, of the blob that holds the values. */
async function numbersOf(store: Store, { layout, numbers }: CheckedManifest["present"], checkpoint: string) {
  const values = floatsOf(await store.get(numbers[0]), checkpoint);
  checkPlaces(layout, values, checkpoint);
  const places = new Map(layout.places.map((place) => [place.name, place]));
  return (name: string): SafeTensor => {
    const place = places.get(name);
    if (!place) throw broken(checkpoint, `parameter ${name}`, "none of that name");
    const [from, to] = ParameterStore.rangeOf(place);
    return { shape: place.shape, data: values.slice(from, to) };
  };
}

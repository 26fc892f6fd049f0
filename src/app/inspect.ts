/** A run's network as it stands, without a device. */
import { z } from "zod";
import { RunConfig } from "../contracts/config.ts";
import type { SlotObservation } from "../contracts/control.ts";
import { NetworkInput } from "../contracts/exported.ts";
import type { ModelGraph } from "../contracts/model_graph.ts";
import { topologyOf } from "../tolaria/growable.ts";
import type { Store } from "../urza/mod.ts";
import { UserError } from "../util/errors.ts";
import { checkManifest } from "./checkpoint_schema.ts";
import type { RunContents } from "./export_run.ts";
import { hostOfRun } from "./kept_host.ts";
import { buildNetwork, type Network } from "./network.ts";
import type { NetworkSize } from "./options.ts";

/** The graph of a run's network. */
export interface RunGraph {
  readonly run: string;
  /** The checkpoint that it is of; null of a run that has none yet, whose slots are empty. */
  readonly checkpoint: string | null;
  readonly graph: ModelGraph;
  readonly slots: readonly Pick<SlotObservation, "slot" | "stage" | "blueprint" | "alpha">[];
}

const Record = z.looseObject({ input: NetworkInput });

/** A run's network as it began and as it stands. */
export interface RunNetwork {
  readonly host: RunGraph;
  readonly grown: RunGraph;
  /** The host's size with seeds of these blueprints in these slots. */
  sizeWith(seeds: readonly { readonly slot: string; readonly blueprint: string }[]): NetworkSize;
}

/**
 * Reads the host of a run and the network of its newest checkpoint, seeds included.
 *
 * @throws {UserError} where the run's files are not as they were written.
 */
export async function inspectNetwork({ name, config, record, store }: RunContents): Promise<RunNetwork> {
  const described = parse(RunConfig, config, `${name}/config.json`);
  const { input } = parse(Record, record, `${name}/run.json`);
  const from = await hostOfRun(described.host, store, name);
  const network = buildNetwork(described, input.shape, input.classes.length, from);
  const { kasmina, model, analyse } = network;
  const graphAt = (checkpoint: string | null): RunGraph => ({
    run: name,
    checkpoint,
    graph: analyse(topologyOf(model.slots, kasmina, described.growth.incubation)),
    slots: kasmina.observe().map(({ slot, stage, blueprint, alpha }) => ({ slot, stage, blueprint, alpha })),
  });
  const host = graphAt(null);
  return {
    host,
    grown: graphAt(await restoreNewest(network, store)),
    sizeWith: (seeds) =>
      network.sizeWith(
        Object.fromEntries(
          seeds.map((
            { slot, blueprint },
          ) => [slot, { seed: `${slot}/1`, blueprint, mode: "fossil" as const }]),
        ),
      ),
  };
}

/** Takes on the slots of the newest checkpoint; null where there is none. */
async function restoreNewest({ kasmina }: Network, store: Store): Promise<string | null> {
  const names = await store.listManifests("checkpoint");
  const newest = names.filter((name) => /^step-\d+$/.test(name)).sort().at(-1);
  if (newest === undefined) return null;
  const { present } = checkManifest(await store.readManifest("checkpoint", newest), newest);
  try {
    kasmina.restore(present.state.lifecycle);
  } catch (error) {
    throw new UserError(
      `checkpoint ${newest}: lifecycle: ${(error as Error).message}; restore it or remove it`,
    );
  }
  return newest;
}

function parse<T extends z.ZodType>(schema: T, value: unknown, file: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError(`${file}: ${path.join(".") || "file"}: ${message}; restore the run's own file`);
}

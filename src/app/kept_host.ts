/** The network that a run began with, kept in the run's own store. */
import type { RunConfig } from "../contracts/config.ts";
import type { Store } from "../urza/mod.ts";
import { UserError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { type LoadedNetwork, readNetwork } from "./export_file.ts";

/** Manifests that keep a run's host from being collected. */
const KIND = "host";

/** Keeps the bytes of a network file with the run, which from then on needs no other copy of it; returns their SHA-256. */
export async function keepHost(store: Store, bytes: Uint8Array): Promise<string> {
  await store.put(bytes);
  const hash = await sha256(bytes);
  await store.writeManifest(KIND, "file", { blob: hash });
  return hash;
}

/** What a run began with; null where its host is built from its description. */
export async function hostOfRun(
  host: RunConfig["host"],
  store: Store,
  run: string,
): Promise<LoadedNetwork | null> {
  if (host.kind !== "file") return null;
  if (host.sha256 === undefined) {
    throw new UserError(`${run}/config.json: host.sha256: want it, got none; restore it`);
  }
  return readNetwork(await store.get(host.sha256), `host of ${run}`);
}

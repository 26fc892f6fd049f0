import type { RunConfig } from "../contracts/config.ts";
import type { Store } from "../urza/mod.ts";
import { usageError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { type LoadedNetwork, readNetwork } from "./export_file.ts";
import { keepHost } from "./kept_host.ts";

/** A configuration with the network that its host is read from; null where the host is built from its description. */
export interface HostSource {
  /** With the SHA-256 of the file. */
  readonly config: RunConfig;
  readonly from: LoadedNetwork | null;
  /** Keeps the file with the run, which from then on needs no other copy of it. */
  keep(store: Store): Promise<void>;
}

/**
 * Reads the host where it is a file: of a new run from its path, of one that is gone on with from the run's own store.
 *
 * @throws {UserError} if the file is not there, is not an exported network, or is another than the one named.
 */
export async function loadHost(config: RunConfig, store: Store | null): Promise<HostSource> {
  const { host } = config;
  if (host.kind !== "file") return { config, from: null, keep: async () => {} };
  const bytes = store && host.sha256 ? await store.get(host.sha256) : await readPath(host.path);
  const hash = await sha256(bytes);
  if (host.sha256 !== undefined && host.sha256 !== hash) {
    throw usageError(
      `host.path: want a file with SHA-256 ${host.sha256}, got ${hash}; leave host.sha256 out to take it`,
    );
  }
  return {
    config: { ...config, host: { ...host, sha256: hash } },
    from: readNetwork(bytes, host.path),
    async keep(store) {
      await keepHost(store, bytes);
    },
  };
}

async function readPath(path: string): Promise<Uint8Array> {
  const { readNetworkFile } = await import("./adapters/export_files.ts");
  return readNetworkFile(path);
}

import type { RunConfig } from "../contracts/config.ts";
import type { Policy } from "../tamiyo/mod.ts";
import type { Store } from "../urza/mod.ts";
import { usageError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { openPolicy } from "./policy.ts";

/** Manifests that keep a run's policy from being collected. */
const KIND = "policy";

/** A configuration with the policy that decides; null where its controller needs none. */
export interface PolicySource {
  /** With the SHA-256 of the file. */
  readonly config: RunConfig;
  readonly policy: Policy | null;
  /** Keeps the file with the run, which from then on needs no other copy of it. */
  keep(store: Store): Promise<void>;
}

/**
 * Reads the policy of a gnn controller: of a new run from its path, of one that is gone on with from the run's own store.
 *
 * @throws {UserError} if the file is not there, is no policy, or is another than the one named.
 */
export async function loadPolicy(config: RunConfig, store: Store | null): Promise<PolicySource> {
  const { controller } = config;
  if (controller.kind !== "gnn") return { config, policy: null, keep: async () => {} };
  const { readPolicyFile } = await import("./adapters/policy_files.ts");
  const bytes = store && controller.sha256
    ? await store.get(controller.sha256)
    : readPolicyFile(controller.policy);
  const hash = await sha256(bytes);
  if (controller.sha256 !== undefined && controller.sha256 !== hash) {
    throw usageError(
      `controller.policy: want a file with SHA-256 ${controller.sha256}, got ${hash}; leave controller.sha256 out to take it`,
    );
  }
  return {
    config: { ...config, controller: { ...controller, sha256: hash } },
    policy: await openPolicy(bytes, controller.policy ?? "default.safetensors"),
    async keep(store) {
      await store.put(bytes);
      await store.writeManifest(KIND, "file", { blob: hash });
    },
  };
}

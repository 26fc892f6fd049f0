import type { Observation } from "../contracts/control.ts";
import { TraceScope } from "../engine/nn/scope.ts";
import { createActor } from "../tamiyo/rl/actor.ts";
import type { PolicyNetwork } from "../tamiyo/rl/types.ts";
import { createGraphPolicy } from "../tamiyo/policy/network.ts";
import type { Policy } from "../tamiyo/mod.ts";
import { sha256 } from "../util/hash.ts";
import { type PolicyFile, type PolicyForm, readPolicy } from "./policy_file.ts";

/** What a file must hold to be of this network. */
export function formOf(network: PolicyNetwork<Observation>): PolicyForm {
  const scope = new TraceScope();
  network.forward(scope, network.shapeFor([]));
  return { architecture: network.name, parameters: scope.parameters };
}

/** A policy file with the network that it is of, which normalises as the file says. */
export interface LoadedPolicy extends PolicyFile {
  readonly network: PolicyNetwork<Observation>;
}

/** @throws {UserError} naming what is wrong with the file. */
export function loadPolicyFile(bytes: Uint8Array, file: string): LoadedPolicy {
  const network = createGraphPolicy([]);
  const read = readPolicy(bytes, file, formOf(network));
  network.restore!(read.manifest.normalisation);
  return { ...read, network };
}

/**
 * A policy that decides on the CPU.
 *
 * @param file What errors call the file.
 * @throws {UserError} naming what is wrong with it.
 */
export async function openPolicy(bytes: Uint8Array, file: string): Promise<Policy> {
  const { network, weights } = loadPolicyFile(bytes, file);
  const numbers = Object.fromEntries(
    Object.entries(weights).map(([name, { data }]) => [name, data as Float32Array]),
  );
  const judge = createActor(network, numbers);
  return { sha256: await sha256(bytes), logits: (observation) => judge([observation]).logits };
}

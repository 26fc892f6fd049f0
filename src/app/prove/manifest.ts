import type { RunConfig } from "../../contracts/config.ts";
import { ProofManifest } from "../../contracts/proof.ts";
import type { ProofConfig } from "../../contracts/proof.ts";
import type { AdapterDescription } from "../../engine/gpu/device.ts";
import { usageError, UserError } from "../../util/errors.ts";
import { sha256 } from "../../util/hash.ts";
import { canonicalJson } from "../../util/json.ts";
import type { LoadedDataset } from "../loaded_dataset.ts";
import { claimsOf } from "./claims.ts";
import { runConfigHash } from "./derive.ts";

/** What a manifest is made of. */
export interface Settled {
  readonly proof: ProofConfig;
  readonly task: RunConfig;
  readonly adapter: AdapterDescription;
  readonly code: string;
  /** The examples of a seed. */
  data(seed: number): Promise<LoadedDataset>;
}

/** Every seed of a proof, those of the headroom check first. */
export function seedsOf({ seeds, headroom }: ProofConfig): { headroom: number[]; proof: number[] } {
  const range = ({ first, count }: { first: number; count: number }) =>
    Array.from({ length: count }, (_, k) => first + k);
  return { headroom: range(headroom), proof: range(seeds) };
}

/**
 * Refuses what no arm could be compared under.
 *
 * @throws {UserError} exit code 2.
 */
export function checkProof(proof: ProofConfig, task: RunConfig): void {
  const { headroom, proof: seeds } = seedsOf(proof);
  if (headroom.some((seed) => seeds.includes(seed))) {
    throw usageError("prove: headroom.first: want seeds of its own, got some of the proof's; move it");
  }
  if (task.train.maxSteps !== undefined) {
    throw usageError(
      "prove: train.maxSteps: want none, as arms spend equal FLOPs, got one; set train.budgetGflop",
    );
  }
  if (task.loop.validationTicks === 0) {
    throw usageError("prove: loop.validationTicks: want 1 or more, as curves are made of it, got 0");
  }
}

/** All that is fixed before the first arm, with its hash. */
export async function settle({ proof, task, adapter, code, data }: Settled): Promise<ProofManifest> {
  const { headroom, proof: seeds } = seedsOf(proof);
  const hashes: Record<string, string> = {};
  let name = "";
  for (const seed of [...seeds, ...headroom]) {
    const { dataset, substituted } = await data(seed);
    hashes[seed] = dataset.sha256;
    name = dataset.name + (substituted ? ` (instead of ${task.data.kind})` : "");
  }
  const content = {
    version: 1 as const,
    proof,
    claims: claimsOf(proof).map(({ id, claim, rule }) => ({ id, claim, rule })),
    task: await runConfigHash(task),
    data: hashes,
    dataset: name,
    code,
    adapter: JSON.parse(JSON.stringify(adapter)) as Record<string, unknown>,
  };
  return { ...content, sha256: await manifestHash(content) };
}

async function manifestHash(content: Omit<ProofManifest, "sha256">): Promise<string> {
  return await sha256(canonicalJson(JSON.parse(JSON.stringify(content))));
}

/** Where a proof that is gone on with began otherwise than it would now. */
const CURES: readonly (readonly [keyof ProofManifest, string])[] = [
  ["proof", "what is proven was changed"],
  ["claims", "the claims were changed"],
  ["task", "the task was changed"],
  ["data", "the examples are others"],
  ["adapter", "the device is another"],
  ["code", "the program was changed"],
];

/**
 * The manifest of a proof that is gone on with.
 *
 * @throws {UserError} if it is not what would be settled now, naming the part that differs.
 */
export async function checkManifest(found: unknown, now: ProofManifest): Promise<ProofManifest> {
  const parsed = ProofManifest.safeParse(found);
  const refuse = (why: string) =>
    new UserError(
      `prove: manifest.json: want the manifest of this proof, got another: ${why}; begin a new proof`,
    );
  if (!parsed.success) throw refuse(parsed.error.issues[0].message);
  const { sha256: told, ...content } = parsed.data;
  const other = CURES.find(([key]) => canonicalJson(parsed.data[key]) !== canonicalJson(now[key]));
  if (other) throw refuse(other[1]);
  if (told !== await manifestHash(content)) throw refuse("its hash is not that of its content");
  return parsed.data;
}

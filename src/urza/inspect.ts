import { UserError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import type { Json } from "../util/json.ts";
import { type Index, survey } from "./index.ts";
import type { Medium } from "./medium.ts";
import { blobPath, nameIn } from "./paths.ts";
import { parseRecord } from "./record_schema.ts";
import { unseal } from "./seal.ts";
import type { Hash, RecordKind } from "./store.ts";

/** What a store holds. */
export interface Contents {
  manifests: {
    kind: string;
    name: string;
    sizeBytes: number;
    blobs: number;
    blobBytes: number;
    fault?: string;
  }[];
  records: { kind: string; hash: Hash; state: string; label: string | null; fault?: string }[];
  blobs: { count: number; sizeBytes: number };
  /** Blobs that neither a manifest nor a record mentions. */
  unmentioned: { count: number; sizeBytes: number };
}

/** Lists a store. What cannot be read is among it, with the reason. */
export async function listStore(medium: Medium, index: Index | null): Promise<Contents> {
  const blobs = new Map(
    (await medium.entries("blobs")).map((entry) => [nameIn(entry.path), entry.sizeBytes]),
  );
  const sum = (hashes: Iterable<Hash>) => {
    const there = [...new Set(hashes)].filter((hash) => blobs.has(hash));
    return { count: there.length, sizeBytes: there.reduce((total, hash) => total + blobs.get(hash)!, 0) };
  };
  const mentioned = new Set<Hash>();
  const manifests: Contents["manifests"] = [], records: Contents["records"] = [];
  for (const folder of ["manifests", "records"]) {
    for (const { path, sizeBytes, facts } of await survey(medium, index, folder)) {
      const [, kind] = path.split("/"), name = nameIn(path);
      const { mentions, state, label } = facts instanceof Error
        ? { mentions: [], state: null, label: null }
        : facts;
      const fault = facts instanceof Error ? { fault: facts.message } : {};
      mentions.forEach((hash) => mentioned.add(hash));
      const { count, sizeBytes: blobBytes } = sum(mentions);
      if (folder === "records") records.push({ kind, hash: name, state: state ?? "?", label, ...fault });
      else manifests.push({ kind, name, sizeBytes, blobs: count, blobBytes, ...fault });
    }
  }
  const unmentioned = [...blobs.keys()].filter((hash) => !mentioned.has(hash));
  return { manifests, records, blobs: sum(blobs.keys()), unmentioned: sum(unmentioned) };
}

/** What a check of every byte has found. */
export interface Verified {
  blobs: number;
  manifests: number;
  records: number;
  sizeBytes: number;
  /** What is not as it should be; `aside` where it has been moved to `damaged/`. */
  faults: { path: string; reason: string; aside: boolean }[];
}

/** Blobs without which a manifest of that kind is of no use. */
export type References = (kind: string, value: Json) => Hash[];

/**
 * Reads every file of a store and checks its SHA-256. Writers may go on meanwhile. With `repair`, which keeps them out,
 * what is damaged, and what refers to what is, is moved aside, and the index is made anew.
 */
export async function verifyStore(
  medium: Medium,
  index: Index | null,
  { references, repair }: { references: References; repair: boolean },
): Promise<Verified> {
  if (!repair) return await check(medium, references);
  return await medium.exclusively(async () => {
    const verified = await check(medium, references);
    for (const fault of verified.faults) {
      await medium.setAside(fault.path);
      fault.aside = true;
    }
    await index?.reset();
    await survey(medium, index, "manifests");
    await survey(medium, index, "records");
    return verified;
  });
}

async function check(medium: Medium, references: References): Promise<Verified> {
  const verified: Verified = { blobs: 0, manifests: 0, records: 0, sizeBytes: 0, faults: [] };
  const say = (path: string, reason: string) => verified.faults.push({ path, reason, aside: false });

  for (const path of await medium.list("blobs")) {
    const bytes = await medium.read(path);
    if (bytes === null) continue; // collected meanwhile
    verified.blobs++;
    verified.sizeBytes += bytes.length;
    const actual = await sha256(bytes);
    if (blobPath(actual) !== path) say(path, `want content with that SHA-256, got ${actual}`);
  }

  const damaged = new Set(verified.faults.map(({ path }) => path));
  /** Null where all is well, or the file has gone. */
  async function faultOf(path: string): Promise<string | null> {
    const bytes = await medium.read(path);
    if (bytes === null) return null;
    const [folder, kind] = path.split("/"), name = nameIn(path);
    try {
      const value = await unseal(bytes, medium.locate(path));
      if (folder === "records") parseRecord(value, kind as RecordKind, name, medium.locate(path));
      if (folder === "records") return null;
      for (const hash of references(kind, value)) {
        const blob = blobPath(hash);
        if (damaged.has(blob)) return `refers to blob ${hash}, which is damaged`;
        if (await medium.entry(blob) === null) return `refers to blob ${hash}, which is missing`;
      }
      return null;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  for (const folder of ["manifests", "records"] as const) {
    for (const path of await medium.list(folder)) {
      verified[folder]++;
      verified.sizeBytes += (await medium.entry(path))?.sizeBytes ?? 0;
      // A second look: the manifest may have been replaced, and its blobs collected, under the first.
      const reason = await faultOf(path) && await faultOf(path);
      if (reason) say(path, reason);
    }
  }
  return verified;
}

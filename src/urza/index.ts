import { z } from "zod";
import { UserError } from "../util/errors.ts";
import type { Entry, Medium } from "./medium.ts";
import { mentionsIn } from "./paths.ts";
import { unseal } from "./seal.ts";
import type { Hash } from "./store.ts";

const Facts = z.strictObject({
  /** A record's state; null for a manifest. */
  state: z.string().nullable(),
  /** What a person calls it; null where it says nothing of that. */
  label: z.string().nullable(),
  mentions: z.array(z.string()),
});

/** What an index keeps of a manifest or record. */
export interface Facts {
  state: string | null;
  label: string | null;
  mentions: Hash[];
}

/** The facts of one content of one file. */
export interface Row {
  path: string;
  stamp: string;
  facts: Facts;
}

/**
 * Remembers what manifests and records say, so that listing them need not read them all. The files are the truth: a row
 * counts only for the content whose stamp it has, so an index may be old, lost, damaged or somebody else's.
 */
export interface Index {
  /** Rows of files under a folder, by path; none where there is no index. */
  recall(folder: string): Map<string, Row> | Promise<Map<string, Row>>;
  /** Remembers some and forgets others, where that can be done. */
  change(remember: readonly Row[], forget: readonly string[]): void | Promise<void>;
  /** Forgets everything. */
  reset(): void | Promise<void>;
}

/** A file and what it says; where it cannot be read, why. */
export interface Surveyed extends Entry {
  facts: Facts | UserError;
}

/** Facts as an index has kept them, as text; null where they make no sense. */
export function parseFacts(text: string): Facts | null {
  try {
    return Facts.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** What the manifests or records under a folder say, read anew only where the index does not know it. */
export async function survey(medium: Medium, index: Index | null, folder: string): Promise<Surveyed[]> {
  const known = await index?.recall(folder) ?? new Map<string, Row>();
  const found: Surveyed[] = [], learnt: Row[] = [];
  for (const entry of await medium.entries(folder)) {
    const row = known.get(entry.path);
    known.delete(entry.path);
    if (row !== undefined && row.stamp === entry.stamp) {
      found.push({ ...entry, facts: row.facts });
      continue;
    }
    const facts = await readFacts(medium, entry.path);
    if (facts === null) continue;
    found.push({ ...entry, facts });
    const { path, stamp } = entry;
    // The file may have been replaced since its stamp was taken, and then this row is about a content it never was of.
    if (stamp !== null && !(facts instanceof Error) && (await medium.entry(path))?.stamp === stamp) {
      learnt.push({ path, stamp, facts });
    }
  }
  if (learnt.length > 0 || known.size > 0) await index?.change(learnt, [...known.keys()]);
  return found;
}

/** Null where the file has gone. */
async function readFacts(medium: Medium, path: string): Promise<Facts | UserError | null> {
  const bytes = await medium.read(path);
  if (bytes === null) return null;
  try {
    const value = await unseal(bytes, medium.locate(path));
    const { state, meta } = (value ?? {}) as { state?: unknown; meta?: unknown };
    const { name, blueprint } = (meta ?? {}) as { name?: unknown; blueprint?: unknown };
    const label = name ?? blueprint;
    return {
      state: path.startsWith("records/") && typeof state === "string" ? state : null,
      label: typeof label === "string" ? label : null,
      mentions: mentionsIn(path + JSON.stringify(value)),
    };
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

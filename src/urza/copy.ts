import { UserError } from "../util/errors.ts";
import type { Medium } from "./medium.ts";
import { mentionsIn, nameIn } from "./paths.ts";
import { seal, unseal } from "./seal.ts";
import type { Store } from "./store.ts";

/** A store and what it stands on. */
export interface StoreParts {
  readonly store: Store;
  readonly medium: Medium;
}

/** What a copy has brought to the far side, or found there. */
export interface Copied {
  blobs: number;
  manifests: number;
  records: number;
  sizeBytes: number;
}

/** What is to be copied otherwise than as it is. */
export interface CopyOptions {
  /** What a manifest is called on the far side; null where it is not to be copied. */
  rename(name: string): string | null;
  /** Whether blobs go along that nothing copied mentions. */
  unmentioned: boolean;
}

/**
 * Copies a store into another, which may be of another kind: every blob is hashed on both sides, and manifests and records,
 * with their states, leases and history, are read back and compared. What is there already is left as it is, so a copy
 * that was killed is done again from its beginning and ends sooner.
 *
 * @throws {UserError} before anything is written where the far side has a manifest or record of another content, and
 * {DamageError} where something is damaged
 */
export async function copyStore(from: StoreParts, to: StoreParts, options: CopyOptions): Promise<Copied> {
  const copied: Copied = { blobs: 0, manifests: 0, records: 0, sizeBytes: 0 };
  const files: { folder: "manifests" | "records"; path: string; bytes: Uint8Array }[] = [];
  const mentioned = new Set<string>();
  for (const folder of ["manifests", "records"] as const) {
    for (const path of await from.medium.list(folder)) {
      const target = folder === "records" ? path : renamed(path, options);
      const bytes = target === null ? null : await from.medium.read(path);
      if (target === null || bytes === null) continue;
      const value = await unseal(bytes, from.medium.locate(path));
      mentionsIn(path + JSON.stringify(value)).forEach((hash) => mentioned.add(hash));
      await refuseOther(to.medium, target, bytes);
      files.push({ folder, path: target, bytes: await seal(value) });
    }
  }
  for (const path of await from.medium.list("blobs")) {
    const hash = nameIn(path);
    if (!options.unmentioned && !mentioned.has(hash)) continue;
    const bytes = await from.store.get(hash);
    await to.store.put(bytes);
    await to.store.get(hash);
    copied.blobs++;
    copied.sizeBytes += bytes.length;
  }
  for (const { folder, path, bytes } of files) {
    await to.medium.alone(path, async () => {
      await refuseOther(to.medium, path, bytes);
      await to.medium.write(path, bytes);
    });
    await unseal(await to.medium.read(path) ?? new Uint8Array(), to.medium.locate(path));
    await refuseOther(to.medium, path, bytes);
    copied[folder]++;
    copied.sizeBytes += bytes.length;
  }
  return copied;
}

function renamed(path: string, { rename }: CopyOptions): string | null {
  const [folder, kind] = path.split("/"), name = rename(nameIn(path));
  return name === null ? null : `${folder}/${kind}/${name}.json`;
}

async function refuseOther(medium: Medium, path: string, bytes: Uint8Array): Promise<void> {
  const there = await medium.read(path);
  if (there === null || there.length === bytes.length && there.every((byte, at) => byte === bytes[at])) {
    return;
  }
  throw new UserError(
    `store copy: want nothing or the same at ${medium.locate(path)}, got another content; ` +
      `copy into another store, or remove what is there`,
  );
}

import type { Hash, RecordKind } from "./store.ts";

const HASH = /^[0-9a-f]{64}$/;

function checked(hash: Hash): Hash {
  if (HASH.test(hash)) return hash;
  throw new Error(`urza: want a hash of 64 hexadecimal digits, got "${hash}"`);
}

/** Names become file names, so nothing in them may lead elsewhere. */
function segment(name: string): string {
  if (/^[A-Za-z0-9][\w.@-]*$/.test(name)) return name;
  throw new Error(`urza: want a name of letters, digits, dots, dashes and underscores, got "${name}"`);
}

export function blobPath(hash: Hash): string {
  return `blobs/${checked(hash).slice(0, 2)}/${hash}`;
}

export function recordPath(kind: RecordKind, hash: Hash): string {
  return `records/${kind}/${checked(hash)}.json`;
}

export function manifestFolder(kind: string): string {
  return `manifests/${segment(kind)}`;
}

export function manifestPath(kind: string, name: string): string {
  return `${manifestFolder(kind)}/${segment(name)}.json`;
}

/** Last part of a path, without `.json`. */
export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.json$/, "");
}

/** Every hash that a text mentions, as often as it does. */
export function mentionsIn(text: string): Hash[] {
  return text.match(/\b[0-9a-f]{64}\b/g) ?? [];
}

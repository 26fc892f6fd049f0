import type { Medium } from "../medium.ts";

/** Where a store in a database keeps the bytes of its blobs: objects that are written once. */
export interface Heap {
  /** Writes an object whole; it survives a power cut once this has resolved. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Null where there is nothing. */
  read(key: string): Promise<Uint8Array | null>;
  /** What is not there is no error. */
  remove(key: string): Promise<void>;
  /** Keys that begin so, in any order. */
  list(prefix: string): Promise<string[]>;
  /** Removes what killed writers left half-written; returns how many. */
  sweep(): Promise<number>;
  locate(key: string): string;
}

/** Objects as files of a store's folder. */
export function fileHeap(medium: Medium): Heap {
  return {
    write: medium.write,
    read: medium.read,
    remove: medium.discard,
    list: medium.list,
    sweep: medium.sweep,
    locate: medium.locate,
  };
}

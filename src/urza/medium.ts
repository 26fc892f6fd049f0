/** Where a store keeps its bytes: paths with `/` to contents. The store's rules are the same on every medium. */
export interface Medium {
  /** Replaces the content in one step that survives a kill: readers see all of the old or all of the new. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Null where there is nothing. */
  read(path: string): Promise<Uint8Array | null>;
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>;
  /** Paths under a folder, at any depth, sorted. */
  list(folder: string): Promise<string[]>;
  /** Removes what killed writers left behind; returns how many. */
  sweep(): Promise<number>;
  /** Runs `work` while no other writer of this medium is inside its own. Not re-entrant. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** The path as an error should show it. */
  locate(path: string): string;
}

/** A function that runs pieces of work one after the other, in the order they came. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

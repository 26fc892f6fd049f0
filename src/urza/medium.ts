/** A file of a medium. */
export interface Entry {
  path: string;
  sizeBytes: number;
  /**
   * Differs from that of every other content the path has had; null where the medium cannot promise that, because the
   * file is too young.
   */
  stamp: string | null;
}

/** Where a store keeps its bytes: paths with `/` to contents. The store's rules are the same on every medium. */
export interface Medium {
  /**
   * Replaces the content in one step that survives a kill and a power cut once it has resolved: readers see all of the
   * old or all of the new.
   */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Null where there is nothing. */
  read(path: string): Promise<Uint8Array | null>;
  /** Null where there is nothing. */
  entry(path: string): Promise<Entry | null>;
  /** Removes for good: once it has resolved, not even a power cut brings it back. What is not there is no error. */
  remove(path: string): Promise<void>;
  /** Removes, but may come back after a power cut. What is not there is no error. */
  discard(path: string): Promise<void>;
  /** Makes an empty file, which a power cut may take away. */
  mark(path: string): Promise<void>;
  /** Moves a damaged file to `damaged/`, where nobody looks for it. */
  setAside(path: string): Promise<void>;
  /** Paths under a folder, at any depth, sorted. */
  list(folder: string): Promise<string[]>;
  /** Files under a folder, at any depth, by path. */
  entries(folder: string): Promise<Entry[]>;
  /** Removes what killed writers left behind; returns how many. */
  sweep(): Promise<number>;
  /** Runs `work` while nobody, in any process, is inside `exclusively`. Not re-entrant. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Runs `work` while nobody else, in any process, is inside `exclusively` or `shared`. Not re-entrant. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` while nobody else, in any process, is inside `alone` of that path, or inside `exclusively`. Not
   * re-entrant. With `skip` it resolves to null at once where somebody is, or there is no such file.
   */
  alone<T>(path: string, work: () => Promise<T>, options?: { skip?: boolean }): Promise<T | null>;
  /** The path as an error should show it. */
  locate(path: string): string;
}

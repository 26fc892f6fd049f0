/** What there is under a key, and what it weighs. */
export interface Cached<T> {
  readonly value: T;
  readonly sizeBytes: number;
}

/** Results by key: the last used within a number of bytes, and for a while what failed. */
export interface KernelCache<T> {
  /** What is there now, as its latest use. Never waits, so a training step may ask. */
  peek(key: string): T | undefined;
  /**
   * What is there, or what `make` comes to. Whoever asks while it is being made waits for the same; what failed fails
   * again at once, until that is forgotten.
   *
   * @throws what `make` throws.
   */
  get(key: string, make: () => Promise<Cached<T>>): Promise<T>;
  /** Number of results, and their bytes. */
  readonly size: number;
  readonly sizeBytes: number;
}

export interface KernelCacheOptions {
  /** Bytes of results that are kept. Default 64 MiB. */
  readonly maxBytes?: number;
  /** How long a failure is remembered. Default 60 000. */
  readonly failureMs?: number;
  /** Whether a failure is remembered at all. Default: each is. */
  readonly remembers?: (error: unknown) => boolean;
  /** Milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** Failures that are remembered at most: keys that nobody asks for again must not pile up. */
const MAX_FAILURES = 1024;

/** An empty cache. */
export function createKernelCache<T>(options: KernelCacheOptions = {}): KernelCache<T> {
  const { maxBytes = 64 * 2 ** 20, failureMs = 60_000, remembers = () => true } = options;
  const { now = () => performance.now() } = options;
  // A map keeps the order of insertion: what is used goes to the end, what goes first is the oldest.
  const ready = new Map<string, Cached<T>>();
  const pending = new Map<string, Promise<T>>();
  const failed = new Map<string, { error: unknown; until: number }>();
  let sizeBytes = 0;

  function drop(key: string): void {
    sizeBytes -= ready.get(key)?.sizeBytes ?? 0;
    ready.delete(key);
  }

  function keep(key: string, entry: Cached<T>): void {
    drop(key);
    ready.set(key, entry);
    sizeBytes += entry.sizeBytes;
    for (const oldest of ready.keys()) {
      if (sizeBytes <= maxBytes) break;
      drop(oldest);
    }
  }

  function peek(key: string): T | undefined {
    const entry = ready.get(key);
    if (!entry) return undefined;
    ready.delete(key);
    ready.set(key, entry);
    return entry.value;
  }

  async function fill(key: string, make: () => Promise<Cached<T>>): Promise<T> {
    try {
      const entry = await make();
      keep(key, entry);
      return entry.value;
    } catch (error) {
      if (remembers(error)) failed.set(key, { error, until: now() + failureMs });
      if (failed.size > MAX_FAILURES) failed.delete(failed.keys().next().value!);
      throw error;
    } finally {
      pending.delete(key);
    }
  }

  return {
    peek,
    get(key, make) {
      const value = peek(key);
      if (value !== undefined) return Promise.resolve(value);
      const failure = failed.get(key);
      if (failure && failure.until > now()) return Promise.reject(failure.error);
      failed.delete(key);
      let filling = pending.get(key);
      if (!filling) {
        filling = fill(key, make);
        pending.set(key, filling);
      }
      return filling;
    },
    get size() {
      return ready.size;
    },
    get sizeBytes() {
      return sizeBytes;
    },
  };
}

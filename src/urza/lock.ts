/** Waits for a lock that many may share or one may have; resolves to what gives it back. */
export type Lock = (exclusive: boolean) => Promise<() => void>;

/** A lock within one process, given in the order in which it was asked for. */
export function createLock(): Lock {
  const waiting: { exclusive: boolean; enter: () => void }[] = [];
  let inside = 0;
  let held = false;

  function admit(): void {
    while (waiting.length > 0 && !held && (inside === 0 || !waiting[0].exclusive)) {
      const { exclusive, enter } = waiting.shift()!;
      inside++;
      held = exclusive;
      enter();
    }
  }

  return (exclusive) => {
    const { promise, resolve } = Promise.withResolvers<() => void>();
    waiting.push({
      exclusive,
      enter: () =>
        resolve(() => {
          inside--;
          held = false;
          admit();
        }),
    });
    admit();
    return promise;
  };
}

/** `shared`, `exclusively` and `alone` of a medium, by a lock. */
export function guards(lock: Lock) {
  const under = async <T>(exclusive: boolean, work: () => Promise<T>): Promise<T> => {
    const release = await lock(exclusive);
    try {
      return await work();
    } finally {
      release();
    }
  };
  return {
    shared: <T>(work: () => Promise<T>) => under(false, work),
    exclusively: <T>(work: () => Promise<T>) => under(true, work),
    alone: <T>(_path: string, work: () => Promise<T>) => under(true, work),
  };
}

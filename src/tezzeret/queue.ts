/** Work that waits for its turn. */
export interface Queue {
  /** Does work once its turn has come: what is urgent first, else in the order it came. */
  run<T>(key: string, work: () => Promise<T>, urgent: boolean): Promise<T>;
  /** Makes waiting work of that key urgent. */
  hurry(key: string): void;
  /** Refuses what waits and what comes; resolves when nothing is at work any more. */
  close(): Promise<void>;
}

interface Waiting {
  readonly key: string;
  urgent: boolean;
  readonly start: () => Promise<void>;
  readonly refuse: (error: Error) => void;
}

/** A queue that does so many pieces of work at once. */
export function createQueue(atOnce: number): Queue {
  let waiting: Waiting[] = [];
  const running = new Set<Promise<void>>();
  let closed = false;

  function next(): void {
    while (running.size < atOnce && waiting.length > 0) {
      const turn = waiting.find(({ urgent }) => urgent) ?? waiting[0];
      waiting = waiting.filter((one) => one !== turn);
      const work = turn.start().finally(() => {
        running.delete(work);
        next();
      });
      running.add(work);
    }
  }

  return {
    run<T>(key: string, work: () => Promise<T>, urgent: boolean): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (closed) return reject(closedError(key));
        waiting.push({ key, urgent, refuse: reject, start: () => work().then(resolve, reject) });
        next();
      });
    },
    hurry(key) {
      for (const one of waiting) if (one.key === key) one.urgent = true;
    },
    async close() {
      closed = true;
      const refused = waiting;
      waiting = [];
      for (const { key, refuse } of refused) refuse(closedError(key));
      await Promise.all(running);
    },
  };
}

const closedError = (key: string) =>
  new Error(`tezzeret: want to compile ${key}, got a compiler that is closed`);

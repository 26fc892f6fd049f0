// Some workers of a fleet in a process of their own, each as `main.ts worker` runs it, whose jobs are waits:
//   fleet_crew.ts URL PLACE NAME WORKERS CONNECTIONS BEAT_MS
// Tells of every minute-long series in one line of JSON at its end: how long its workers waited for a job that was there.
import { openPgBossQueue } from "../../src/fleet/adapters/pg_boss_queue.ts";
import { hashOf, type Queue, work } from "../../src/fleet/mod.ts";
import { wait } from "../../src/util/wait.ts";

const [url, place, name, workers, connections, beatMs] = Deno.args;
const zero = "0".repeat(64);
const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());

const queue = await openPgBossQueue(url, { connections: Number(connections), heartbeatSeconds: 60 });
/** Milliseconds from asking to having, and from having done to being believed. */
const took: number[] = [], settled: number[] = [];
let slept = 0;
const timed: Queue = {
  ...queue,
  async take(...args) {
    const began = performance.now(), ticket = await queue.take(...args);
    if (ticket) took.push(performance.now() - began);
    return ticket;
  },
  async complete(...args) {
    const began = performance.now(), done = await queue.complete(...args);
    settled.push(performance.now() - began);
    return done;
  },
};
await Promise.all(Array.from({ length: Number(workers) }, (_, k) =>
  work({
    queue: timed,
    card: { id: `${name}-${k}`, host: name, place, code: zero, adapter: {} },
    signal: stop.signal,
    beatMs: Number(beatMs),
    async perform({ spec, key }, { signal }) {
      await wait(Number(spec.ms), signal);
      slept += Number(spec.ms);
      return signal.aborted ? null : { evidence: await hashOf({ slept: spec.ms }), account: key, files: {} };
    },
  })));
await queue.close();
console.log(JSON.stringify({ took, settled, slept }));

/** The queue of a fleet on a real PostgreSQL: who holds a job, what becomes of it, and what the server's death does to it. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { JobResult } from "../../src/contracts/fleet.ts";
import { openPgBossQueue } from "../../src/fleet/adapters/pg_boss_queue.ts";
import {
  createDispatcher,
  createJob,
  hashOf,
  type Perform,
  placeOf,
  type Queue,
  work,
} from "../../src/fleet/mod.ts";
import { idOf } from "../../src/fleet/job.ts";
import { UserError } from "../../src/util/errors.ts";
import { wait } from "../../src/util/wait.ts";
import { runEsper } from "../support/subprocess.ts";
import { absent, type PostgresServer, startPostgres } from "../support/servers.ts";

const ignore = absent("postgres");
const zero = "0".repeat(64);
const adapter = { name: "test" };
const ground = { code: zero, data: null, adapter: await hashOf(adapter) };
const place = await placeOf(ground);
const QUICK = { retrySeconds: 1, monitorSeconds: 1, heartbeatSeconds: 10, retries: 1 };
const never = new AbortController().signal;

const jobOf = (k: number, name = `job ${k}`) => createJob("sleep", name, { k, name }, ground);
const cardOf = (id: string) => ({ id, host: "here", place, code: zero, adapter });

/** Comes to the hash of what it was given. */
const honest: Perform = async ({ spec }) => ({ evidence: await hashOf(spec), account: zero, files: {} });

async function resultOf(key: string, worker: string): Promise<JobResult> {
  return { version: 1, key, evidence: await hashOf({ worker }), account: zero, files: {}, worker };
}

/** Runs workers beside `use`, and ends them. */
async function withWorkers(
  queue: Queue,
  performers: Record<string, Perform>,
  use: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const running = Object.entries(performers).map(([id, perform]) =>
    work({ queue, perform, card: cardOf(id), signal: stop.signal, idleMs: 100, beatMs: 500 })
  );
  try {
    await use();
  } finally {
    stop.abort();
    await Promise.all(running);
  }
}

let server: PostgresServer | null = null;
Deno.test.beforeAll(async () => {
  if (!ignore) server = await startPostgres();
});
Deno.test.afterAll(async () => await server?.stop());

async function withQueue(use: (queue: Queue, url: string) => Promise<void>): Promise<void> {
  const url = await server!.database(), queue = await openPgBossQueue(url, QUICK);
  try {
    await use(queue, url);
  } finally {
    await queue.close();
  }
}

Deno.test({
  name: "many who ask at once get a job each, the urgent first, and what is submitted twice is one job",
  ignore,
  fn: () =>
    withQueue(async (queue) => {
      const jobs = await Promise.all([1, 2, 3].map((k) => jobOf(k)));
      const submissions = await Promise.all(
        jobs.map(async (job, k) => ({ id: await idOf(job.key), job, priority: k })),
      );
      await queue.submit(place, submissions);
      await queue.submit(place, submissions);
      const taken = await Promise.all(
        Array.from({ length: 8 }, (_, k) => queue.take(place, `w${k}`)),
      );
      const held = taken.filter((ticket) => ticket !== null);
      assertEquals(held.map(({ job }) => job.name).sort(), ["job 1", "job 2", "job 3"]);
      await queue.giveBack(place, held[0]);
      await queue.giveBack(place, held[1]);
      await queue.giveBack(place, held[2]);
      assertEquals((await queue.take(place, "w"))?.job.name, "job 3");
      assertEquals((await queue.tally())[place].active, 1);
    }),
});

Deno.test({
  name: "who lost a job to another can neither complete nor fail it: there is one result",
  ignore,
  fn: () =>
    withQueue(async (queue) => {
      const job = await jobOf(1), id = await idOf(job.key);
      await queue.submit(place, [{ id, job }]);
      const first = (await queue.take(place, "slow"))!;
      assert(await queue.beat(place, first));
      assertEquals(await queue.fail(place, first, { message: "no sign of life", exitCode: null }), true);
      let second = await queue.take(place, "quick");
      while (!second) {
        await wait(100);
        second = await queue.take(place, "quick");
      }
      assertEquals([second.id, second.attempt], [id, 1]);
      assertEquals(await queue.beat(place, first), false);
      assertEquals(await queue.complete(place, first, await resultOf(job.key, "slow")), false);
      assertEquals(await queue.fail(place, first, { message: "x", exitCode: null }), false);
      assertEquals(await queue.giveBack(place, first), false);
      assertEquals(await queue.complete(place, second, await resultOf(job.key, "quick")), true);
      assertEquals(await queue.complete(place, second, await resultOf(job.key, "quick")), false);
      const [{ state, result, retries }] = await queue.look(place, [id]);
      assertEquals([state, result?.worker, retries], ["completed", "quick", 1]);
    }),
});

Deno.test({
  name: "a job that always fails becomes a dead letter with its error, and submitted anew begins anew",
  ignore,
  fn: () =>
    withQueue(async (queue) => {
      const job = await jobOf(1, "poisoned"), tries: string[] = [];
      const dispatcher = createDispatcher({ queue, place, verify: 0, lookMs: 50 });
      const poisoned: Perform = () => {
        tries.push("try");
        throw new UserError("it is poisoned", { exitCode: 2 });
      };
      await withWorkers(queue, { w: poisoned }, async () => {
        const error = await assertRejects(() => dispatcher.done(job, never), UserError, "it is poisoned");
        assertEquals(error.exitCode, 2);
      });
      assertEquals(tries.length, 2);
      assertEquals(await queue.deadLetters(), [
        { name: "poisoned", error: { message: "it is poisoned", exitCode: 2 } },
      ]);
      await withWorkers(queue, { w: honest }, async () => {
        assertEquals((await dispatcher.done(job, never))?.evidence, await hashOf(job.spec));
      });
      await dispatcher.close();
    }),
});

Deno.test({
  name: "what is cancelled is not done; who holds it hears of it, and who waits for it is told",
  ignore,
  fn: () =>
    withQueue(async (queue) => {
      const dispatcher = createDispatcher({ queue, place, verify: 0, lookMs: 50 });
      const [held, queued] = [await jobOf(1, "held"), await jobOf(2, "queued")];
      const began = Promise.withResolvers<void>();
      let ended = false;
      const slow: Perform = async (_, { signal }) => {
        began.resolve();
        await wait(20_000, signal);
        ended = signal.aborted;
        return null;
      };
      await withWorkers(queue, { w: slow }, async () => {
        const waiting = [held, queued].map((job) =>
          assertRejects(() => dispatcher.done(job, never), UserError, `job ${job.name} was cancelled`)
        );
        await began.promise;
        while ((await queue.tally())[place].waiting === 0) await wait(20);
        assertEquals(await queue.cancel(place), 2);
        await Promise.all(waiting);
        while (!ended) await wait(20);
      });
      await dispatcher.close();
    }),
});

Deno.test({
  name: "a job that is done twice is done by two, who must agree; with one worker nothing is compared",
  ignore,
  fn: () =>
    withQueue(async (queue) => {
      const liar: Perform = async ({ spec }) => ({
        ...(await honest({ spec } as never, {} as never))!,
        ...spec.k === 3 && { evidence: zero },
      });
      const jobs = await Promise.all([1, 2, 3, 4].map((k) => jobOf(k)));
      const dispatcher = createDispatcher({ queue, place, verify: 1, lookMs: 50 });
      await withWorkers(queue, { honest, liar }, async () => {
        await Promise.all(jobs.map((job) => dispatcher.done(job, never)));
        const { agreed, mismatches, unchecked } = await dispatcher.settle(never);
        assertEquals([agreed, mismatches.length, unchecked], [3, 1, 0]);
        assertStringIncludes(mismatches[0], "job 3: ");
      });
      await withWorkers(queue, { alone: honest }, async () => {
        await dispatcher.done(await jobOf(5), never);
        assertEquals(await dispatcher.settle(never), { agreed: 0, mismatches: [], unchecked: 1 });
      });
      await dispatcher.close();
    }),
});

Deno.test({
  name: "a database that is killed and comes back loses no job, and nobody has to begin anew",
  ignore,
  async fn() {
    await using own = await startPostgres();
    const queue = await openPgBossQueue(await own.database(), QUICK);
    try {
      const jobs = await Promise.all(Array.from({ length: 30 }, (_, k) => jobOf(k)));
      const done: string[] = [];
      const slow: Perform = async (job) => {
        await wait(50);
        done.push(job.name);
        return await honest(job, {} as never);
      };
      const dispatcher = createDispatcher({ queue, place, verify: 0, lookMs: 50 });
      await withWorkers(queue, { a: slow, b: slow }, async () => {
        const results = Promise.all(jobs.map((job) => dispatcher.done(job, never)));
        while (done.length < 6) await wait(10);
        await own.kill();
        await wait(300);
        await own.restart();
        for (const [k, result] of (await results).entries()) {
          assertEquals(result?.evidence, await hashOf(jobs[k].spec));
        }
      });
      assertEquals(await queue.deadLetters(), []);
      await dispatcher.close();
    } finally {
      await queue.close();
    }
  },
});

Deno.test({
  name: "a server that is not there, or a wrong password, is one line without the password",
  ignore,
  fn: () =>
    withQueue(async (_, url) => {
      const wrong = url.replace(/:[^:@]*@/, ":a-wrong-one@");
      const error = await assertRejects(
        () => openPgBossQueue(wrong),
        UserError,
        "fleet: want PostgreSQL at 127.0.0.1",
      );
      assert(!error.message.includes("a-wrong-one"), error.message);
      await assertRejects(
        () => openPgBossQueue("postgres://esper@127.0.0.1:1/none"),
        UserError,
        "ECONNREFUSED",
      );
    }),
});

Deno.test({
  name: "fleet status tells of workers, jobs and dead letters; fleet cancel ends what has not ended",
  ignore,
  fn: () =>
    withQueue(async (queue, secret) => {
      const url = secret.replace(/:[^:@]*@/, "@"), env = { PGPASSWORD: new URL(secret).password };
      const jobs = await Promise.all([1, 2].map((k) => jobOf(k)));
      await queue.submit(
        place,
        await Promise.all(jobs.map(async (job) => ({ id: await idOf(job.key), job }))),
      );
      const progress = { job: "job 1", step: 7, loss: 0.5, done: 0.25, resumedAt: 3 };
      await queue.enlist({ ...cardOf("w7"), doing: [progress], completed: 4, failed: 1, draining: false });
      const status = await runEsper(["fleet", "status", "--fleet", url], env);
      assertEquals([status.code, status.stderr], [0, ""]);
      assert(/^w7 +job 1, from step 3 +7 +0\.5000 +25 % +4 +1$/m.test(status.stdout), status.stdout);
      assert(new RegExp(`^${place} +1 +2 +0 +0 +0 +0$`, "m").test(status.stdout), status.stdout);
      const cancel = await runEsper(["fleet", "cancel", "--json", "--fleet", url], env);
      assertEquals([cancel.code, cancel.stdout], [0, `{"cancelled":2}\n`]);
      assertEquals(await queue.take(place, "w"), null);
      const told = await runEsper(["fleet", "status", "--fleet", secret]);
      assertEquals(told.code, 2);
      assertStringIncludes(told.stderr, "want no password in the address");
      assert(!told.stderr.includes(env.PGPASSWORD), told.stderr);
    }),
});

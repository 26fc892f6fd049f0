/** The queue on pg-boss: jobs, retries, dead letters and signs of life in PostgreSQL (ADR 44). */
import { type Job, PgBoss } from "pg-boss";
import { z } from "zod";
import { type FleetJob, JobResult, WorkerCard } from "../../contracts/fleet.ts";
import { UserError } from "../../util/errors.ts";
import type { JobFailure, JobState, Queue, Standing, Tally, Ticket } from "../queue.ts";

/** Schema of everything in the database that is the fleet's. */
const SCHEMA = "esper_fleet";
const DEAD = "esper.dead";
const queueName = (place: string) => `esper.${place}`;

export interface PgBossOptions {
  /** Connections at most. Default 4. */
  readonly connections?: number;
  /** Seconds without a sign of life after which a job is another's; at least 10. Default 30. */
  readonly heartbeatSeconds?: number;
  /** Seconds between two looks for those who gave no sign. Default 5. */
  readonly monitorSeconds?: number;
  /** Seconds before the first further try; doubles from try to try, up to five minutes. Default 5. */
  readonly retrySeconds?: number;
  /** Further tries of a job that failed or whose worker was not heard of again. Default 4. */
  readonly retries?: number;
}

const LONGEST_RETRY_SECONDS = 300;
/** The longest that pg-boss lets one try last; the next one goes on from the last checkpoint. */
const EXPIRE_SECONDS = 24 * 3600;

/** Beside pg-boss's own tables: who works, and what all agree on. */
const TABLES = `
  select pg_advisory_xact_lock(hashtext('${SCHEMA}.tables'));
  create table if not exists ${SCHEMA}.esper_worker (id text primary key, card jsonb not null, seen timestamptz not null);
  create table if not exists ${SCHEMA}.esper_word (name text primary key, word text not null);`;

const STATES: Readonly<Record<string, JobState>> = {
  created: "waiting",
  retry: "waiting",
  active: "active",
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
};
const NONE: Tally = { waiting: 0, active: 0, completed: 0, failed: 0, cancelled: 0 };
const Failure = z.looseObject({ message: z.string(), exitCode: z.number().nullable().default(null) });

/** What pg-boss keeps of a failure: what was given, or what it says itself, as `value`. */
function failureIn(output: unknown): JobFailure | null {
  const inner = (output as { value?: unknown } | null)?.value ?? output;
  const parsed = Failure.safeParse(inner);
  return parsed.success ? { message: parsed.data.message, exitCode: parsed.data.exitCode } : null;
}

function cureOf(message: string): string {
  if (/certificate has expired/.test(message)) return "renew the server's certificate";
  if (/certificate/.test(message)) return "name its authority by sslrootcert";
  return "start it, and set PGPASSWORD";
}

/**
 * Opens the queue, and makes its tables in a database that has none.
 *
 * @param url `postgres://user@host:5432/database`; the password is PGPASSWORD's.
 * @throws {UserError} where the server cannot be reached, or does not let us in.
 */
export async function openPgBossQueue(url: string, options: PgBossOptions = {}): Promise<Queue> {
  const { connections = 4, heartbeatSeconds = 30, monitorSeconds = 5, retrySeconds = 5, retries = 4 } =
    options;
  const boss = new PgBoss({
    connectionString: url,
    schema: SCHEMA,
    application_name: "esper",
    max: connections,
    schedule: false,
    registerInstance: false,
    superviseIntervalSeconds: monitorSeconds,
    monitorIntervalSeconds: monitorSeconds,
    openTelemetry: { enabled: false },
  });
  // Each call tells its caller; what the background meets, it meets again.
  boss.on("error", () => {});
  try {
    await boss.start();
    await boss.getDb().executeSql(TABLES);
    await boss.createQueue(DEAD, { retryLimit: 0 });
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => {});
    const { host, pathname } = new URL(url), { message, code } = error as Error & { code?: string };
    throw new UserError(
      `fleet: want PostgreSQL at ${host}${pathname}, got ${message || code}; ${cureOf(message)}`,
      { cause: error },
    );
  }

  async function sql<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await boss.getDb().executeSql(text, values)).rows as Row[];
  }

  const known = new Map<string, Promise<void>>();
  /** The queue of a place, made where there is none. */
  async function nameOf(place: string): Promise<string> {
    const name = queueName(place);
    const made = known.get(name) ?? boss.createQueue(name, {
      ...{ retryLimit: retries, retryDelay: retrySeconds, retryBackoff: true },
      ...{ retryDelayMax: LONGEST_RETRY_SECONDS, heartbeatSeconds, expireInSeconds: EXPIRE_SECONDS },
      deadLetter: DEAD,
    });
    known.set(name, made);
    await made.catch((error) => {
      known.delete(name);
      throw error;
    });
    return name;
  }
  const attemptOf = ({ id, attempt }: Ticket) => ({ id, retryCount: attempt });
  /** How many jobs a command met; the package's types leave it out. */
  const affected = (response: unknown) => (response as { affected: number }).affected;
  const one = (response: unknown) => affected(response) === 1;

  return {
    async submit(place, jobs) {
      const name = await nameOf(place), ids = jobs.map(({ id }) => id);
      const ended = await sql<{ id: string }>(
        `select id from ${SCHEMA}.job where name = $1 and id = any($2::uuid[]) and state in ('failed', 'cancelled')`,
        [name, ids],
      );
      if (ended.length > 0) await boss.deleteJob(name, ended.map(({ id }) => id));
      await boss.insert(
        name,
        jobs.map(({ id, job, priority = 0, not }) => ({
          ...{ id, data: job, priority },
          ...not !== undefined && { group: { id: not } },
        })),
      );
    },
    async take(place, worker) {
      const [taken] = await boss.fetch<FleetJob>(await nameOf(place), { ignoreGroups: [worker] }) as Job<
        FleetJob
      >[];
      return taken ? { id: taken.id, attempt: taken.retryCount, job: taken.data } : null;
    },
    beat: async (place, ticket) => one(await boss.touch(queueName(place), attemptOf(ticket))),
    complete: async (place, ticket, result) =>
      one(await boss.complete(queueName(place), attemptOf(ticket), result)),
    fail: async (place, ticket, failure) =>
      one(await boss.fail(queueName(place), attemptOf(ticket), failure)),
    async giveBack(place, { id, attempt }) {
      // As pg-boss puts back what it fetched in vain, and only from the hands that hold it.
      const rows = await sql(
        `update ${SCHEMA}.job set state = 'created', started_on = null, heartbeat_on = null
         where name = $1 and id = $2 and state = 'active' and retry_count = $3 returning id`,
        [queueName(place), id, attempt],
      );
      return rows.length === 1;
    },
    async look(place, ids) {
      const rows = await sql<
        { id: string; name: string; state: string; retries: number; output: unknown }
      >(
        `select id, data->>'name' as name, state::text, retry_count as retries, output from ${SCHEMA}.job
         where name = $1 and id = any($2::uuid[])`,
        [queueName(place), ids],
      );
      return rows.map(({ id, name, state, retries, output }): Standing => ({
        ...{ id, name, retries, state: STATES[state] },
        result: state === "completed" ? JobResult.parse(output) : null,
        error: state === "completed" ? null : failureIn(output),
      }));
    },
    async cancel(place, ids) {
      const name = queueName(place);
      const open = ids ?? (await sql<{ id: string }>(
        `select id from ${SCHEMA}.job where name = $1 and state < 'completed'`,
        [name],
      )).map(({ id }) => id);
      if (open.length === 0) return 0;
      return affected(await boss.cancel(name, [...open]));
    },
    async tally() {
      const rows = await sql<{ name: string; state: string; count: number }>(
        `select name, state::text, count(*)::int from ${SCHEMA}.job where name like 'esper.%' and name <> '${DEAD}'
         group by name, state`,
      );
      const places: Record<string, Tally> = {};
      for (const { name, state, count } of rows) {
        const place = name.slice("esper.".length), tally = places[place] ?? NONE, known = STATES[state];
        places[place] = { ...tally, [known]: tally[known] + count };
      }
      return places;
    },
    async deadLetters() {
      const rows = await sql<{ name: string; output: unknown }>(
        `select data->>'name' as name, source_output as output from ${SCHEMA}.job where name = '${DEAD}'
         order by created_on desc limit 100`,
      );
      return rows.map(({ name, output }) => (
        { name, error: failureIn(output) ?? { message: "unknown", exitCode: null } }
      ));
    },
    async enlist(card) {
      await sql(
        `insert into ${SCHEMA}.esper_worker values ($1, $2, now())
         on conflict (id) do update set card = excluded.card, seen = excluded.seen`,
        [card.id, card],
      );
    },
    async leave(worker) {
      await sql(`delete from ${SCHEMA}.esper_worker where id = $1`, [worker]);
    },
    async workers() {
      const rows = await sql<{ card: unknown }>(
        `select card from ${SCHEMA}.esper_worker where seen > now() - interval '${heartbeatSeconds} seconds' order by id`,
      );
      return rows.map(({ card }) => WorkerCard.parse(card));
    },
    async agree(name, word) {
      if (word !== null) {
        await sql(`insert into ${SCHEMA}.esper_word values ($1, $2) on conflict do nothing`, [name, word]);
      }
      const [row] = await sql<{ word: string }>(`select word from ${SCHEMA}.esper_word where name = $1`, [
        name,
      ]);
      return row?.word ?? null;
    },
    close: () => boss.stop({ graceful: false }),
  };
}

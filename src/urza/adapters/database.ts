import { AsyncLocalStorage } from "node:async_hooks";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import postgres from "postgres";
import { UserError } from "../../util/errors.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Patiently } from "./patience.ts";
import { explainPostgres } from "./postgres_errors.ts";

/** Connections of a process; transactions take all but one of them. */
const CONNECTIONS = 4;
/** First number of the store's advisory locks. */
const LOCKS = 0x75727a61;
const STORE_LOCK = 0, MIGRATION_LOCK = 1;

/** What runs statements: a pool, or the connection of a transaction. */
export type Sql = postgres.Sql | postgres.TransactionSql;

/** A transaction under way. */
interface Scope {
  readonly sql: postgres.TransactionSql;
  /** Done once it has been committed. */
  readonly afterwards: (() => Promise<void>)[];
  alive: boolean;
}

/** A PostgreSQL database, asked patiently. */
export interface Database {
  /** As an error should show it: without user and password. */
  readonly place: string;
  /** Runs a statement within the transaction that the caller is in, or by itself. It must bear to be run twice. */
  ask<T>(statement: (sql: Sql) => PromiseLike<T>): Promise<T>;
  /** Runs a statement by itself, whatever the caller is in. */
  askApart<T>(statement: (sql: Sql) => PromiseLike<T>): Promise<T>;
  /**
   * Runs work as one transaction that shares the store's lock or has it alone. What has been done by `ask` counts once
   * this has resolved, and else not at all; the work may be done several times. Within a transaction it is part of that.
   */
  transaction<T>(exclusive: boolean, work: () => Promise<T>): Promise<T>;
  /** Has something done once the transaction that the caller is in has been committed. */
  afterwards(work: () => Promise<void>): void;
  /** The server's clock in milliseconds since 1970, as it was told last, and the time since then. */
  now(): number;
  close(): Promise<void>;
}

/** Opens a database and brings its tables up to date. `deadlineMs`: how long a statement may take. */
export async function openDatabase(
  url: string,
  patiently: Patiently,
  { deadlineMs = 60_000 }: { deadlineMs?: number } = {},
): Promise<Database> {
  const { options, place } = optionsOf(url, deadlineMs);
  const connect = () => postgres(options);
  let pool = connect();
  const scopes = new AsyncLocalStorage<Scope>();
  const enter = createGate(CONNECTIONS - 1);
  let clock = { server: Date.now(), here: performance.now() };

  /** Fails where there is no answer in time; then all connections are made anew, as nothing else ends a silent one. */
  async function inTime<T>(work: PromiseLike<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const silent = pool;
      pool = connect();
      silent.end({ timeout: 0 }).catch(() => {});
      late.reject(Object.assign(new Error("no answer"), { code: "DEADLINE" }));
    }, 1.25 * deadlineMs);
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  const retried = <T>(work: () => Promise<T>) => patiently(`an answer from ${place}`, work, explainPostgres);

  const askApart = <T>(statement: (sql: Sql) => PromiseLike<T>) => retried(() => inTime(statement(pool)));

  async function ask<T>(statement: (sql: Sql) => PromiseLike<T>): Promise<T> {
    const scope = scopes.getStore();
    if (!scope) return await askApart(statement);
    // Its connection may be another transaction's by now.
    if (!scope.alive) throw Object.assign(new Error("transaction lost"), { code: "CONNECTION_CLOSED" });
    return await inTime(statement(scope.sql));
  }

  async function readClock(sql: Sql): Promise<void> {
    const [{ ms }] = await sql`select extract(epoch from clock_timestamp()) * 1000 as ms`;
    clock = { server: Math.floor(Number(ms)), here: performance.now() };
  }

  async function perform<T>(scope: Scope, exclusive: boolean, work: () => Promise<T>): Promise<Done<T>> {
    if (exclusive) await ask((sql) => sql`select pg_advisory_xact_lock(${LOCKS}, ${STORE_LOCK})`);
    else await ask((sql) => sql`select pg_advisory_xact_lock_shared(${LOCKS}, ${STORE_LOCK})`);
    await ask(readClock);
    const result = await work();
    const [{ xid }] = await ask((sql) => sql`select pg_current_xact_id()::text as xid`);
    return { result, xid, scope };
  }

  /** One try; `done` hears of work that is done and not yet committed. */
  async function attempt<T>(
    exclusive: boolean,
    work: () => Promise<T>,
    done: (work: Done<T>) => void,
  ): Promise<Done<T>> {
    const started = Promise.withResolvers<void>();
    const under: { scope?: Scope; body?: Promise<Done<T>> } = {};
    const outcome = pool.begin((sql) => {
      const scope: Scope = { sql, afterwards: [], alive: true };
      under.scope = scope;
      under.body = scopes.run(scope, () => perform(scope, exclusive, work));
      under.body.then(done, () => {});
      started.resolve();
      return whileAlive(scope, under.body);
    }) as Promise<Done<T>>;
    outcome.catch(() => {
      if (under.scope) under.scope.alive = false;
    });
    try {
      await inTime(Promise.race([started.promise, outcome]));
      await Promise.race([under.body, outcome]);
      return await inTime(outcome);
    } catch (error) {
      if (under.scope) under.scope.alive = false;
      await under.body?.catch(() => {});
      throw error;
    }
  }

  /** Whether a transaction whose commit was not answered has been one. */
  async function isCommitted(xid: string): Promise<boolean> {
    const [{ status }] = await inTime(pool`select pg_xact_status(${xid}::xid8) as status`);
    if (status === "in progress") throw Object.assign(new Error("in doubt"), { code: "40001" });
    return status === "committed";
  }

  async function transaction<T>(exclusive: boolean, work: () => Promise<T>): Promise<T> {
    if (scopes.getStore()) return await work();
    const leave = await enter();
    try {
      let doubtful: Done<T> | null = null;
      const { result, scope } = await retried(async () => {
        if (doubtful && await isCommitted(doubtful.xid)) return doubtful;
        doubtful = null;
        return await attempt(exclusive, work, (done) => doubtful = done);
      });
      for (const next of scope.afterwards) await next();
      return result;
    } finally {
      leave();
    }
  }

  await retried(() => {
    const connection = { alive: true };
    const outcome = pool.begin((sql) => whileAlive(connection, migrate(sql)));
    outcome.catch(() => connection.alive = false);
    return inTime(outcome);
  });
  await askApart(readClock);
  return {
    place,
    ask,
    askApart,
    transaction,
    afterwards: (work) => void scopes.getStore()!.afterwards.push(work),
    now: () => clock.server + Math.floor(performance.now() - clock.here),
    close: () => pool.end({ timeout: 1 }),
  };
}

const never = new Promise<never>(() => {});

/**
 * Work as the client may hear of it: not at all where the connection is gone, as it would write its `commit` or `rollback`
 * there, which ends the process.
 */
function whileAlive<T>(connection: { readonly alive: boolean }, work: Promise<T>): Promise<T> {
  return work.then(
    (result) => connection.alive ? result : never,
    (error) => connection.alive && !isLost(error) ? Promise.reject(error) : never,
  );
}

/** Whether an error says that its connection is gone, or may be. */
function isLost(error: unknown): boolean {
  return /^(DEADLINE|CONNECT|E[A-Z]|57P0|08)/.test(`${(error as { code?: unknown } | null)?.code}`) ||
    error instanceof TypeError;
}

/** What a transaction has done. */
interface Done<T> {
  readonly result: T;
  readonly xid: string;
  readonly scope: Scope;
}

/** Applies the migrations that a database lacks, one process at a time. */
async function migrate(sql: postgres.TransactionSql): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCKS}, ${MIGRATION_LOCK})`;
  const [{ there }] = await sql`select to_regclass('urza.migrations') is not null as there`;
  if (!there) {
    await sql.unsafe(
      "create schema urza; create table urza.migrations (version int primary key, time timestamptz)",
    );
  }
  const [{ version }] = await sql`select coalesce(max(version), 0) as version from urza.migrations`;
  if (version > MIGRATIONS.length) {
    throw new UserError(
      `urza: want a database of version ${MIGRATIONS.length} or less, got ${version}; use the Esper that made it`,
    );
  }
  for (const [at, migration] of MIGRATIONS.entries()) {
    if (at < version) continue;
    await sql.unsafe(migration);
    await sql`insert into urza.migrations values (${at + 1}, now())`;
  }
}

/** What the client is told, and how the place is called. */
export function optionsOf(url: string, deadlineMs: number) {
  const parsed = new URL(url);
  const { searchParams, hostname, port, pathname } = parsed;
  const mode = searchParams.get("sslmode") ?? "disable", authority = searchParams.get("sslrootcert");
  if (!["disable", "require", "verify-full"].includes(mode)) {
    throw new UserError(`urza: want sslmode disable, require or verify-full, got ${mode}; correct the URL`);
  }
  const tls = {
    rejectUnauthorized: mode === "verify-full",
    // The client does not say for which host the certificate must be where that is an address.
    checkServerIdentity: (_: string, certificate: PeerCertificate) =>
      checkServerIdentity(hostname, certificate),
    ...authority !== null && { ca: Deno.readTextFileSync(authority) },
  };
  const options = {
    host: hostname,
    port: Number(port || 5432),
    database: decodeURIComponent(pathname.slice(1)),
    username: decodeURIComponent(parsed.username) || (Deno.env.get("PGUSER") ?? "postgres"),
    password: decodeURIComponent(parsed.password) || (Deno.env.get("PGPASSWORD") ?? ""),
    max: CONNECTIONS,
    fetch_types: false,
    max_lifetime: null,
    connect_timeout: Math.max(1, Math.ceil(deadlineMs / 6000)),
    ...mode !== "disable" && { ssl: tls },
    onnotice: () => {},
    connection: {
      application_name: "esper",
      statement_timeout: deadlineMs,
      // The server lets go of what a machine held that has gone without a word.
      idle_in_transaction_session_timeout: 10 * deadlineMs,
      tcp_keepalives_idle: 30,
      tcp_keepalives_interval: 10,
      tcp_keepalives_count: 3,
    },
  };
  return { options, place: `postgres://${hostname}:${options.port}/${options.database}` };
}

/** Lets so many in at a time, in the order they came; resolves to what lets the next one in. */
function createGate(places: number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = places;
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return leave;
  };
}

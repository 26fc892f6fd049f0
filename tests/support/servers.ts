/** Real servers for tests: each on a free port of this machine, with its data in a temporary folder that goes with it. */

/** A server that a test has started, and may maltreat. */
export interface Server extends AsyncDisposable {
  /** Where it listens, password included. */
  readonly url: string;
  readonly port: number;
  /** Its data and its log, server.log. */
  readonly folder: string;
  /** Stops it without a chance to write anything (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again with the same data on the same port, and waits until it answers. */
  restart(): Promise<void>;
  /** Takes its processor away (SIGSTOP) or gives it back (SIGCONT): connections stay, answers stay out. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Programs by the Debian package that brings them. */
const PACKAGES = { "redis-server": "redis-server", "postgres": "postgresql" } as const;
type Program = keyof typeof PACKAGES;

/** An account without rights, for servers that refuse to run as root. */
const NOBODY = 65534;
const START_MS = 20_000;

/** Path of a server's program; null where it is not installed. */
function find(program: Program): string | null {
  let versions: string[] = [];
  try {
    versions = [...Deno.readDirSync("/usr/lib/postgresql")].map(({ name }) => name).sort().reverse();
  } catch { /* no PostgreSQL */ }
  const folders = [
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
    "/usr/bin",
    "/usr/sbin",
  ];
  return folders.map((folder) => `${folder}/${program}`).find(isFile) ?? null;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether a server's program is missing, said aloud: for a test's `ignore`. */
export function absent(program: Program): boolean {
  if (find(program)) return false;
  console.log(`SKIPPED: ${program} is not here (apt-get install ${PACKAGES[program]} brings it)`);
  return true;
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** What tells servers apart. */
interface Recipe {
  readonly name: string;
  /** Runs as an account without rights where the test is root. */
  readonly unprivileged?: boolean;
  command(folder: string, port: number): string[];
  url(port: number): string;
  /** Whether it answers; a connection alone is enough where absent. */
  ready?(port: number): Promise<boolean>;
  /** Runs once, before the first start. */
  prepare?(folder: string): Promise<void>;
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Goes where this process goes, and writes to the log; `exec` keeps the process id. */
function wrapped(command: readonly string[], folder: string, unprivileged: boolean): string[] {
  const drop = unprivileged && Deno.uid() === 0
    ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"]
    : [];
  const script = 'exec "$@" >>"$0/server.log" 2>&1';
  return ["setpriv", ...drop, "--pdeathsig=KILL", "sh", "-c", script, folder, ...command];
}

async function start(recipe: Recipe): Promise<Server> {
  const folder = await Deno.makeTempDir({ prefix: `esper-${recipe.name}-` });
  const unprivileged = recipe.unprivileged ?? false;
  if (unprivileged && Deno.uid() === 0) await Deno.chown(folder, NOBODY, NOBODY);
  await recipe.prepare?.(folder);
  const port = freePort();
  let child: Deno.ChildProcess;
  let ended = true;

  async function launch(): Promise<void> {
    const ready = recipe.ready ?? answers;
    const [program, ...args] = wrapped(recipe.command(folder, port), folder, unprivileged);
    for (const end = performance.now() + START_MS; performance.now() < end;) {
      if (ended) {
        child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
        ended = false;
        child.status.then(() => ended = true);
      }
      if (await ready(port) && !ended) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await kill();
    const log = await Deno.readTextFile(`${folder}/server.log`).catch(() => "");
    throw new Error(`${recipe.name}: want an answer on port ${port} within ${START_MS} ms, got none\n${log}`);
  }

  async function kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    if (!ended) child.kill(signal);
    await child.status;
  }

  async function stop(): Promise<void> {
    if (!ended) child.kill("SIGCONT");
    await kill(recipe.name === "postgres" ? "SIGINT" : "SIGTERM");
    await Deno.remove(folder, { recursive: true });
  }

  await launch();
  return {
    url: recipe.url(port),
    port,
    folder,
    kill: () => kill(),
    restart: launch,
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** How a test wants Redis. */
export interface RedisOptions {
  /** Whether each write is on disk before it is answered. Default: nothing is written. */
  aof?: boolean;
  password?: string;
  /** PEM files; then it speaks TLS only. */
  tls?: { cert: string; key: string; ca: string };
  /** More of its settings, such as `["--maxmemory", "3mb"]`. */
  settings?: string[];
}

/** Starts Debian's redis-server. See `absent`. */
export function startRedis(options: RedisOptions = {}): Promise<Server> {
  const { aof = false, password, tls, settings = [] } = options;
  const scheme = tls ? "rediss" : "redis";
  return start({
    name: "redis",
    url: (port) => `${scheme}://${password ? `:${password}@` : ""}127.0.0.1:${port}`,
    command: (folder, port) => [
      find("redis-server")!,
      ...["--bind", "127.0.0.1", "--dir", folder, "--save", "", "--port", tls ? "0" : `${port}`],
      ...(aof ? ["--appendonly", "yes", "--appendfsync", "always"] : []),
      ...(password ? ["--requirepass", password] : []),
      ...(tls ? ["--tls-port", `${port}`, "--tls-cert-file", tls.cert, "--tls-key-file", tls.key] : []),
      ...(tls ? ["--tls-ca-cert-file", tls.ca, "--tls-auth-clients", "no"] : []),
      ...settings,
    ],
  });
}

/** A PostgreSQL server. */
export interface PostgresServer extends Server {
  /** Makes a database that is empty, and resolves to its URL. */
  database(): Promise<string>;
}

/** User and password of the PostgreSQL servers of tests. */
const POSTGRES = { user: "esper", password: "kept-out-of-logs" };

async function run(command: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const [program, ...args] = command;
  const { success } = await new Deno.Command(program, { args, env, stdout: "null", stderr: "null" }).output();
  return success;
}

/** Starts Debian's PostgreSQL, which keeps what it has confirmed over a kill, not over a power cut. See `absent`. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const postgres = find("postgres")!, bin = postgres.slice(0, postgres.lastIndexOf("/"));
  const { user, password } = POSTGRES;
  const urlOf = (port: number, database: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const server = await start({
    name: "postgres",
    unprivileged: true,
    url: (port) => urlOf(port, "postgres"),
    async prepare(folder) {
      await Deno.writeTextFile(`${folder}/password`, password);
      const init = [`${bin}/initdb`, "-D", `${folder}/data`, "-U", user, `--pwfile=${folder}/password`];
      const command = wrapped(
        [...init, "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C"],
        folder,
        true,
      );
      if (!await run(command)) {
        throw new Error(`initdb failed:\n${await Deno.readTextFile(`${folder}/server.log`)}`);
      }
    },
    command: (folder, port) => [
      postgres,
      ...["-D", `${folder}/data`, "-p", `${port}`, "-c", "listen_addresses=127.0.0.1"],
      ...["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB"],
      ...settings.flatMap((setting) => ["-c", setting]),
    ],
    ready: (port) => run([`${bin}/pg_isready`, "-q", "-h", "127.0.0.1", "-p", `${port}`]),
  });
  let made = 0;
  return {
    ...server,
    async database() {
      const name = `test_${++made}`;
      const where = ["-h", "127.0.0.1", "-p", `${server.port}`, "-U", user];
      if (!await run([`${bin}/createdb`, ...where, name], { PGPASSWORD: password })) {
        throw new Error(`createdb ${name} failed; see ${server.folder}/server.log`);
      }
      return urlOf(server.port, name);
    },
  };
}

/** Starts a double of S3 with a bucket `esper`; its key and secret are both S3RVER. */
export function startS3(): Promise<Server> {
  return start({
    name: "s3",
    url: (port) => `http://127.0.0.1:${port}`,
    command: (folder, port) => [
      ...[Deno.execPath(), "run", "-A", "--no-check", "tests/support/s3_program.ts"],
      `${folder}/data`,
      `${port}`,
    ],
  });
}

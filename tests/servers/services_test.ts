/** Servers as `services` finds them and brings them up, and a worker that says whether it can work. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bringUp, lookAtServices, type ServiceState, type Wanted } from "../../src/app/adapters/services.ts";
import { wait } from "../../src/util/wait.ts";
import { absent, freePort, startPostgres, startRedis, startS3 } from "../support/servers.ts";
import { runEsper } from "../support/subprocess.ts";

const none: Wanted = { postgres: null, blobs: null, redis: null, fleet: false };
const never = new AbortController().signal;
const short = (states: readonly ServiceState[]) =>
  states.map(({ service, live, ready }) => `${service} ${ready ? "ready" : live ? "alive" : "absent"}`);

/** Sets variables of the environment, and puts back what was there. */
function withEnv(env: Record<string, string>): Disposable {
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}

Deno.test({
  name: "up makes tables, bucket and queue that are missing; what lives is told from what is ready",
  ignore: absent("postgres") || absent("redis-server"),
  async fn() {
    await using postgres = await startPostgres();
    await using s3 = await startS3();
    await using redis = await startRedis({ aof: true, password: "secret" });
    using _env = withEnv({
      AWS_ENDPOINT_URL: s3.url,
      AWS_ACCESS_KEY_ID: "S3RVER",
      AWS_SECRET_ACCESS_KEY: "S3RVER",
      REDIS_PASSWORD: "secret",
    });
    const wanted: Wanted = {
      postgres: await postgres.database(),
      blobs: "s3://not-yet/fleet",
      redis: `redis://127.0.0.1:${redis.port}`,
      fleet: true,
    };
    const before = await lookAtServices(wanted);
    assertEquals(short(before), ["postgres alive", "blobs alive", "redis ready"]);
    assertEquals(before[0].cure, "main.ts services up makes them");
    assert(before.every(({ place, text }) => !`${place}${text}`.includes("kept-out-of-logs")));

    const lines: string[] = [];
    const options = { timeoutMs: 20_000, signal: never, onLine: (line: string) => lines.push(line) };
    assertEquals(short(await bringUp(wanted, options)), ["postgres ready", "blobs ready", "redis ready"]);
    assertEquals(short(await bringUp(wanted, options)), ["postgres ready", "blobs ready", "redis ready"]);
    assertEquals(lines, []);

    // A fleet goes on with the place that it has agreed on.
    const other = bringUp({ ...wanted, blobs: "s3://not-yet/other" }, options);
    const refused = await other.then(() => "", (error: Error) => error.message);
    assertStringIncludes(refused, "s3://not-yet/");

    // Silent servers take connections, and are not ready.
    postgres.freeze();
    redis.freeze();
    const silent = await lookAtServices(wanted);
    postgres.thaw();
    redis.thaw();
    assertEquals(short(silent), ["postgres alive", "blobs ready", "redis alive"]);
    assert(silent[0].passing && silent[2].passing);

    using _wrong = withEnv({ REDIS_PASSWORD: "wrong" });
    const refusal = await bringUp({ ...none, redis: wanted.redis }, options);
    assertEquals(short(refusal), ["redis alive"]);
    assertStringIncludes(refusal[0].cure!, "REDIS_PASSWORD");
  },
});

Deno.test({
  name:
    "services status fails where a server is absent or would lose what it has confirmed, and says what to do",
  ignore: absent("redis-server"),
  async fn() {
    await using redis = await startRedis();
    const folder = await Deno.makeTempDir(), url = (port: number) => `redis://127.0.0.1:${port}`;
    try {
      const forgetful = await runEsper([
        "services",
        "status",
        "--oona",
        url(redis.port),
        "--blobs",
        `file:${folder}`,
      ]);
      assertEquals(forgetful.code, 1);
      assertStringIncludes(forgetful.stdout, `ready   blobs: file:${folder}`);
      assertStringIncludes(forgetful.stdout, "→ start it with --appendonly yes");

      const away = await runEsper(["services", "status", "--json", "--oona", url(freePort())]);
      assertEquals(away.code, 1);
      const { ready, services } = JSON.parse(away.stdout);
      assertEquals([ready, services[0].live, services[0].ready], [false, false, false]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "services up starts what compose.yaml has for a server that is not there, and waits for it",
  ignore: absent("redis-server"),
  async fn() {
    const folder = await Deno.makeTempDir(), port = freePort();
    // Stands where a container engine would, and starts the real server as compose.yaml does.
    await Deno.writeTextFile(
      `${folder}/docker`,
      `#!/bin/sh
[ "$2" = version ] && exit
echo "$@" >${folder}/asked
redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --requirepass "$REDIS_PASSWORD" --appendonly yes \\
  --dir ${folder} --daemonize yes --pidfile ${folder}/pid
`,
      { mode: 0o755 },
    );
    try {
      const env = { PATH: `${folder}:${Deno.env.get("PATH")}`, REDIS_PASSWORD: "secret" };
      const { code, stdout } = await runEsper(
        ["services", "up", "--timeout", "20", "--oona", `redis://127.0.0.1:${port}`],
        env,
      );
      assertEquals([code, stdout.slice(0, 14)], [0, "ready   redis:"]);
      assertStringIncludes(await Deno.readTextFile(`${folder}/asked`), "compose.yaml up -d redis");
    } finally {
      const pid = await Deno.readTextFile(`${folder}/pid`).catch(() => null);
      if (pid !== null) Deno.kill(Number(pid), "SIGKILL");
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "services up without a container engine says so, and ends when its time is over",
  async fn() {
    const lines: string[] = [], folder = await Deno.makeTempDir();
    using _path = withEnv({ PATH: folder });
    const states = await bringUp(
      { ...none, redis: `redis://127.0.0.1:${freePort()}` },
      { timeoutMs: 0, signal: never, onLine: (line) => lines.push(line) },
    );
    assertEquals(short(states), ["redis absent"]);
    assertStringIncludes(lines.join(), "start redis as docs/services.md says");
    await Deno.remove(folder);
  },
});

Deno.test({
  name: "a worker lives while its database is away, and is ready only while it answers",
  ignore: absent("postgres"),
  async fn() {
    await using postgres = await startPostgres();
    const secret = await postgres.database(), folder = await Deno.makeTempDir(), port = freePort();
    const fleet = secret.replace(/:[^:@]*@/, "@"), blobs = `file:${folder}`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", "main.ts", "worker", "--fleet", fleet, "--blobs", blobs],
        ...["--backend", "native", "--health", `${port}`],
      ],
      env: { NO_COLOR: "1", PGPASSWORD: new URL(secret).password },
      stdout: "null",
      stderr: "null",
    }).spawn();
    const ask = async (path: string) => {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/${path}`);
        return { status: response.status, text: await response.text() };
      } catch {
        return { status: 0, text: "" };
      }
    };
    const until = async (status: number) => {
      for (const end = performance.now() + 30_000; performance.now() < end; await wait(200)) {
        const found = await ask("ready");
        if (found.status === status) return found.text;
      }
      return "never";
    };
    try {
      assertEquals(await until(200), "ready\n");
      await postgres.kill();
      assertStringIncludes(await until(503), `postgres://127.0.0.1:${postgres.port}/`);
      assertEquals((await ask("health")).status, 200);
      await postgres.restart();
      assertEquals(await until(200), "ready\n");
    } finally {
      child.kill("SIGTERM");
      assertEquals((await child.status).code, 0);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

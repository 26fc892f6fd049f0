// What the queue of a fleet costs and carries: jobs that only wait, done by worker processes through a real PostgreSQL.
//
//   deno run -A bench/fleet.ts [--part efficiency|scale|all] [--workers 1000] [--jobs 100000] [--ms 1000]
//     [--processes 4] [--svg docs/fleet.svg] [--quick] [--json FILE]
//
// `efficiency`: four processes, one worker each; the time they need over the time that the waits alone would take.
// `scale`: many workers in a few processes; throughput, how long a worker waits for a job, and what the database does.
import pg from "postgres";
import { openPgBossQueue } from "../src/fleet/adapters/pg_boss_queue.ts";
import { createJob, placeOf } from "../src/fleet/mod.ts";
import { idOf } from "../src/fleet/job.ts";
import { startPostgres } from "../tests/support/servers.ts";
import { drawSeries } from "./support/series.ts";
import { readOptions } from "./support/options.ts";

const options = readOptions({
  svg: "",
  part: "all",
  workers: "1000",
  jobs: "100000",
  ms: "1000",
  processes: "4",
});
const zero = "0".repeat(64), ground = { code: zero, data: null, adapter: zero };
const place = await placeOf(ground);

interface Crew {
  ended: Promise<{ took: number[]; settled: number[]; slept: number }>;
  leave(): void;
}

function startCrew(url: string, name: string, workers: number, connections: number, beatMs: number): Crew {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "bench/support/fleet_crew.ts", url, place, name],
      ...[workers, connections, beatMs].map(String),
    ],
    stdout: "piped",
  }).spawn();
  return {
    ended: child.output().then(({ stdout }) => JSON.parse(new TextDecoder().decode(stdout))),
    leave: () => child.kill("SIGTERM"),
  };
}

const quantile = (values: readonly number[], q: number) =>
  values.length === 0
    ? 0
    : values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const told = (ms: number) => `${ms.toFixed(1)} ms`;

/** What PostgreSQL says of itself; counts since its start. */
interface Load {
  completed: number;
  waiting: number;
  active: number;
  commits: number;
  busy: number;
  written: number;
  bytes: number;
}

async function measure(
  parts: { workers: number; processes: number; jobs: number; ms: number; beatMs: number },
) {
  const { workers, processes, jobs, ms, beatMs } = parts;
  await using server = await startPostgres(["max_connections=200", "shared_buffers=256MB"]);
  const url = await server.database();
  const queue = await openPgBossQueue(url, { connections: 4, heartbeatSeconds: 60 });
  const crews = Array.from(
    { length: processes },
    (_, k) => startCrew(url, `crew${k}`, Math.ceil(workers / processes), workers > 8 ? 12 : 2, beatMs),
  );
  while ((await queue.workers()).length < workers) await pause(200);
  const sql = pg(url, { max: 1 });
  const began = performance.now();
  const BATCH = 1000;
  const submit = (async () => {
    for (let k = 0; k < jobs; k += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, jobs - k) }, async (_, i) => {
        const job = await createJob("sleep", `wait ${k + i}`, { ms, k: k + i }, ground);
        return { id: await idOf(job.key), job };
      });
      await queue.submit(place, await Promise.all(batch));
    }
    return (performance.now() - began) / 1000;
  })();
  const series: (Load & { second: number })[] = [];
  for (let done = 0; done < jobs;) {
    await pause(Math.min(1000, jobs * ms / workers / 20));
    const [tally] = await sql`
      select count(*) filter (where state = 'completed')::int as completed,
        count(*) filter (where state < 'active')::int as waiting,
        count(*) filter (where state = 'active')::int as active from esper_fleet.job where name = ${`esper.${place}`}`;
    const [load] = await sql`
      select xact_commit::int as commits, (tup_inserted + tup_updated + tup_deleted)::int as written,
        pg_database_size(current_database())::float8 as bytes,
        (select count(*) from pg_stat_activity where state = 'active' and application_name = 'esper')::int as busy
      from pg_stat_database where datname = current_database()`;
    series.push(
      { second: (performance.now() - began) / 1000, ...tally, ...load } as Load & { second: number },
    );
    done = tally.completed;
  }
  const seconds = series.at(-1)!.second, submitted = await submit;
  crews.forEach(({ leave }) => leave());
  const ends = await Promise.all(crews.map(({ ended }) => ended));
  await sql.end();
  await queue.close();
  const took = ends.flatMap((end) => end.took), settled = ends.flatMap((end) => end.settled);
  const of = (values: number[]) => ({
    p50: quantile(values, 0.5),
    p95: quantile(values, 0.95),
    p99: quantile(values, 0.99),
  });
  return {
    ...{
      ...parts,
      seconds,
      submitted,
      ideal: jobs * ms / 1000 / workers,
      took: of(took),
      settled: of(settled),
    },
    lost: jobs - ends.reduce((sum, end) => sum + end.slept / ms, 0),
    series,
  };
}

const results: Record<string, Awaited<ReturnType<typeof measure>>> = {};
if (options.own.part !== "scale") {
  const part = options.quick
    ? { workers: 4, processes: 4, jobs: 40, ms: 100, beatMs: 5000 }
    : { workers: 4, processes: 4, jobs: 480, ms: 500, beatMs: 5000 };
  const result = results.efficiency = await measure(part);
  console.log(
    `4 processes, ${part.jobs} waits of ${part.ms} ms: ${result.seconds.toFixed(2)} s, ` +
      `ideal ${result.ideal.toFixed(2)} s: ${(result.ideal / result.seconds).toFixed(3)} of it; ` +
      `a job is had in ${told(result.took.p50)}, believed in ${told(result.settled.p50)}`,
  );
}
if (options.own.part !== "efficiency") {
  const [workers, jobs, ms, processes] = (["workers", "jobs", "ms", "processes"] as const).map((name) =>
    Number(options.own[name])
  );
  const result = results.scale = await measure(
    options.quick
      ? { workers: 40, processes: 2, jobs: 400, ms: 200, beatMs: 5000 }
      : { workers, processes, jobs, ms, beatMs: 20_000 },
  );
  const { seconds, series, took, settled } = result, last = series.at(-1)!;
  console.log([
    `${result.workers} workers, ${result.jobs} waits of ${result.ms} ms: ${seconds.toFixed(1)} s, ${
      (result.jobs / seconds).toFixed(0)
    } jobs a second; submitted in ${result.submitted.toFixed(1)} s`,
    `a worker has a job in ${told(took.p50)} (p95 ${told(took.p95)}, p99 ${told(took.p99)}), ` +
    `is believed in ${told(settled.p50)} (p95 ${told(settled.p95)})`,
    `database: ${(last.commits / seconds).toFixed(0)} transactions and ${
      (last.written / seconds).toFixed(0)
    } rows a second, ` +
    `${(series.reduce((sum, { busy }) => sum + busy, 0) / series.length).toFixed(1)} connections at work, ` +
    `${(last.bytes / 2 ** 20).toFixed(0)} MiB; jobs done more than once or not at all: ${result.lost}`,
  ].join("\n"));
  if (options.own.svg) {
    const rate = (key: "completed" | "commits") =>
      series.slice(1).map((now, k) =>
        [now.second, (now[key] - series[k][key]) / (now.second - series[k].second)] as const
      );
    await Deno.writeTextFile(
      options.own.svg as string,
      drawSeries([
        { title: "jobs done a second", points: rate("completed") },
        { title: "jobs waiting", points: series.map(({ second, waiting }) => [second, waiting]) },
        { title: "jobs in work", points: series.map(({ second, active }) => [second, active]) },
        { title: "database: transactions a second", points: rate("commits") },
        { title: "database: connections at work", points: series.map(({ second, busy }) => [second, busy]) },
      ], "seconds since the first job was submitted"),
    );
  }
}
if (options.json) await Deno.writeTextFile(options.json, JSON.stringify(results) + "\n");

/** A run whose servers die under it comes to the weights of one that has none, and goes on in any other folder. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type AnyEnvelope, type Topic, topics } from "../../src/contracts/events.ts";
import { followRedis } from "../../src/oona/adapters/redis_follower.ts";
import { ENVIRONMENT, follow, type JsonLine, jsonLines, newRun, withConfig } from "../e2e/program.ts";
import { absent, startPostgres, startRedis } from "../support/servers.ts";
import { tinyConfig } from "../support/session.ts";
import { runEsper } from "../support/subprocess.ts";

const GROWING = {
  loop: { checkpointTicks: 2, keepCheckpoints: 2 },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 8, action: "fossilize", slot: "layer2" },
    ],
  },
};

/** Hash of the weights that a run has ended with. */
async function weightsOf(run: string): Promise<string> {
  const events = await jsonLines(`${run}/events.jsonl`);
  return events.findLast(({ topic }) => topic === "run.finished").weights;
}

Deno.test({
  name:
    "a run whose Redis and PostgreSQL are killed and started again ends with the weights of a run of files",
  ignore: absent("redis-server") || absent("postgres"),
  fn: () =>
    withConfig("points", GROWING, async (root) => {
      await using redis = await startRedis({ aof: true, password: "secret" });
      await using postgres = await startPostgres();
      const database = new URL(await postgres.database());
      const env = { PGPASSWORD: database.password, REDIS_PASSWORD: "secret" };
      database.password = "";
      const blobs = `file:${root}/blobs`, channelUrl = `redis://127.0.0.1:${redis.port}`;

      assertEquals((await follow(newRun(root, "--profile", "small"))).code, 0);
      const weights = await weightsOf(`${root}/runs/points-1`);

      const shared = {
        ...GROWING,
        oona: { kind: "redis", url: channelUrl },
        urza: { kind: "postgres", url: database.href, blobs },
      };
      await Deno.writeTextFile(`${root}/config.json`, JSON.stringify(tinyConfig("points", shared)));
      const here = `${root}/shared`;
      const start = ["--config", `${root}/config.json`, "--out", here, "--profile", "small"];
      let outage: Promise<void> | null = null;
      const { code, lines, stderr } = await follow(start, ({ topic }) => {
        if (topic !== "checkpoint.saved") return;
        outage ??= (async () => {
          await Promise.all([redis.kill(), postgres.kill()]);
          await new Promise((resolve) => setTimeout(resolve, 1500));
          await Promise.all([redis.restart(), postgres.restart()]);
        })();
      }, { env });
      await outage;
      assertEquals([code, stderr], [0, ""]);
      const { run } = lines[0].payload, notices = lines.filter(({ topic }) => topic === "notice");
      assertEquals(await weightsOf(`${here}/${run}`), weights);
      assert(
        notices.some(({ payload }) => payload.text.includes("does not take messages, training goes on")),
      );
      const verified = await runEsper(["store", "verify", `${here}/${run}`], { ...ENVIRONMENT, ...env });
      assertMatch(verified.stdout, /: all whole\n$/);

      // Every control message is with the server, once and in order.
      const told = lines.filter(({ topic }) => topics[topic as Topic] === "control");
      const followed: JsonLine[] = [], end = new AbortController();
      const stream = { url: channelUrl, channel: run, secrets: { password: "secret" }, signal: end.signal };
      await followRedis(stream, ({ topic, payload }: AnyEnvelope) => {
        if (topics[topic] === "control") followed.push({ topic, payload });
        if (topic === "run.finished") end.abort();
      });
      assertEquals(followed, told.map(({ topic, payload }) => ({ topic, payload })));

      // A run that dies itself goes on where there is nothing but the servers.
      let other = "";
      const dead = await follow(start, ({ topic, payload }, kill) => {
        other ||= payload.run;
        if (topic === "checkpoint.saved" && payload.step > 20) kill("SIGKILL");
      }, { env });
      assertEquals(dead.signal, "SIGKILL");
      const place = `${database.href}?blobs=${blobs}&run=${other}`;
      const out = await runEsper(["store", "checkout", place, `${root}/elsewhere`], {
        ...ENVIRONMENT,
        ...env,
      });
      assertEquals([out.code, out.stderr], [0, ""]);
      const resumed = await follow(["--resume", `${root}/elsewhere/${other}`], () => {}, { env });
      assertEquals([resumed.code, resumed.stderr], [0, ""]);
      assert(resumed.lines[0].payload.resumedAt > 20);
      assertEquals(await weightsOf(`${root}/elsewhere/${other}`), weights);
    }),
});

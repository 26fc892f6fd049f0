/** `serve --oona`: a run's dashboard on a machine that has nothing of the run but its Redis server. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openRedisBus } from "../../src/oona/adapters/redis_bus.ts";
import { wait } from "../../src/util/wait.ts";
import { absent, startRedis } from "../support/servers.ts";

Deno.test({
  name:
    "serve --oona shows what a run has told over Redis, and what it tells after the server was killed and is back",
  ignore: absent("redis-server"),
  async fn() {
    await using redis = await startRedis({ aof: true, password: "secret" });
    const url = `redis://127.0.0.1:${redis.port}`;
    const bus = await openRedisBus({ url, channel: "far", owner: "test", secrets: { password: "secret" } });
    await bus.publish("run.started", {
      ...{
        run: "far",
        config: "points",
        dataset: "points",
        adapter: "a GPU",
        profile: "small",
        dryRun: false,
      },
      ...{ budgetFlops: 1e9, maxSteps: null, resumedAt: 0 },
    });
    const train = async (step: number) => {
      const rates = { learningRate: 0.1, imagesPerSecond: 1000 };
      await bus.publish("step.metrics", { step, loss: 0.5, accuracy: 0.75, flops: 1e6 * step, ...rates });
      await bus.drain();
    };
    await train(10);

    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "main.ts", "serve", "far", "--oona", url],
      env: { NO_COLOR: "1", REDIS_PASSWORD: "secret" },
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    try {
      const address = (await reader.read()).value!.trim();
      const page = async (path: string) => {
        const response = await fetch(address.replace("/?", `${path}?`));
        return { status: response.status, text: await response.text() };
      };
      const ready = async () => {
        const end = performance.now() + 20_000;
        while ((await page("/ready")).status !== 200 && performance.now() < end) await wait(100);
        return (await page("/ready")).status;
      };
      assertEquals(await ready(), 200);
      assertStringIncludes((await page("/")).text, "far");
      const told = async (step: number) => {
        const line = new RegExp(`^esper_step(?:\\{.*\\})? ${step}$`, "m"), end = performance.now() + 20_000;
        while (!line.test((await page("/metrics")).text) && performance.now() < end) await wait(100);
        return line.test((await page("/metrics")).text);
      };
      assert(await told(10), (await page("/metrics")).text);
      await redis.kill();
      await redis.restart();
      await train(20);
      assert(await told(20), (await page("/metrics")).text);
    } finally {
      child.kill("SIGTERM");
      assertEquals((await child.status).code, 0);
      await reader.cancel();
      await bus.close();
    }
  },
});

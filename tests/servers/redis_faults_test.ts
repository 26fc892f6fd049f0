/** What happens to a run's messages when the server they go to fails: nothing it has confirmed is lost, nobody waits. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import { openRedisBus } from "../../src/oona/adapters/redis_bus.ts";
import { type FollowOptions, followRedis } from "../../src/oona/adapters/redis_follower.ts";
import type { Bus } from "../../src/oona/bus.ts";
import { UserError } from "../../src/util/errors.ts";
import { absent, type Server, startRedis } from "../support/servers.ts";

const ignore = absent("redis-server");
const secrets = { password: "secret" };

function open(server: Server, more: Partial<Parameters<typeof openRedisBus>[0]> = {}): Promise<Bus> {
  const url = `redis://127.0.0.1:${server.port}`;
  return openRedisBus({ url, channel: "run", owner: "test", secrets, ...more });
}

const say = (bus: Bus, text: string) => bus.publish("notice", { level: "info", text });

/** The numbered notices of a channel, until the last of `count` has come. */
async function heard(server: Server, count: number, more: Partial<FollowOptions> = {}): Promise<string[]> {
  const got: string[] = [], end = new AbortController();
  const url = `redis://127.0.0.1:${server.port}`;
  const signal = AbortSignal.any([end.signal, more.signal ?? new AbortController().signal]);
  await followRedis({ url, channel: "run", secrets, ...more, signal }, ({ topic, payload }: AnyEnvelope) => {
    if (topic !== "notice" || !/^\d+$/.test(payload.text)) return;
    if (got.push(payload.text) === count) end.abort();
  });
  return got;
}

const numbers = (count: number) => Array.from({ length: count }, (_, k) => `${k}`);

Deno.test({
  name: "a Redis that is killed and started again has every control message once, in order",
  ignore,
  async fn() {
    await using server = await startRedis({ aof: true, password: "secret" });
    const bus = await open(server);
    const local: string[] = [];
    bus.subscribe("notice", ({ payload }) => void local.push(payload.text));
    for (let k = 0; k < 10; k++) await say(bus, `${k}`);
    await bus.drain();
    await server.kill();
    for (let k = 10; k < 20; k++) await say(bus, `${k}`);
    await bus.drain();
    assertEquals(local.filter((text) => /^\d+$/.test(text)), numbers(20));
    await server.restart();
    for (let k = 20; k < 30; k++) await say(bus, `${k}`);
    assertEquals(await heard(server, 30), numbers(30));
    await bus.close();
    assertEquals(bus.deadLetters(), []);
  },
});

Deno.test({
  name: "a silent Redis holds nobody up; telemetry beyond the queue is dropped and counted",
  ignore,
  async fn() {
    await using server = await startRedis({ password: "secret" });
    const bus = await open(server, { capacity: 5 });
    const notices: string[] = [];
    bus.subscribe("notice", ({ payload }) => void notices.push(payload.text));
    await say(bus, "0");
    await bus.drain();
    server.freeze();
    await say(bus, "1");
    await bus.drain();
    const began = performance.now();
    const metrics = { loss: 1, accuracy: 0, learningRate: 0, imagesPerSecond: 0, flops: 0 };
    for (let step = 0; step < 100; step++) await bus.publish("step.metrics", { step, ...metrics });
    assert(performance.now() - began < 500);
    for (; !notices.some((text) => text.includes("training goes on")); await bus.drain()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    server.thaw();
    assertEquals(await heard(server, 2), ["0", "1"]);
    for (; !notices.some((text) => text.includes("is back")); await bus.drain()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertStringIncludes(notices.at(-1)!, "95 messages of telemetry were dropped");
    await bus.close();
  },
});

Deno.test({
  name: "a wrong password, and another's channel, are refused in a line without the password",
  ignore,
  async fn() {
    await using server = await startRedis({ password: "secret" });
    const error = await assertRejects(() => open(server, { secrets: { password: "guess-17" } }), UserError);
    assertStringIncludes(error.message, "WRONGPASS");
    assert(!error.message.includes("guess-17") && !error.message.includes("secret"));
    const bus = await open(server);
    await assertRejects(() => open(server, { owner: "someone" }), UserError, "give the run another name");
    await bus.close();
  },
});

Deno.test({
  name: "a Redis without memory refuses, and takes what waited when it has some again; clocks do not matter",
  ignore,
  async fn() {
    await using server = await startRedis({ password: "secret" });
    const cli = (...words: string[]) =>
      new Deno.Command("redis-cli", {
        args: ["-p", `${server.port}`, "-a", "secret", ...words],
        stdout: "null",
        stderr: "null",
      }).output();
    let skew = 3600e3;
    const bus = await open(server, { now: () => Date.now() + (skew = -skew) });
    await say(bus, "0");
    await bus.drain();
    await cli("config", "set", "maxmemory", "1");
    await say(bus, "1");
    await bus.drain();
    assert(bus.deadLetters().some(({ error }) => error.includes("OOM")));
    await cli("config", "set", "maxmemory", "0");
    await say(bus, "2");
    assertEquals(await heard(server, 3), numbers(3));
    await bus.close();
  },
});

Deno.test({
  name: "what a group's follower had in work when it died goes to another",
  ignore,
  async fn() {
    await using server = await startRedis({ password: "secret" });
    const bus = await open(server);
    for (let k = 0; k < 3; k++) await say(bus, `${k}`);
    await bus.drain();
    const dying = new AbortController(), url = `redis://127.0.0.1:${server.port}`;
    const group = (consumer: string) => ({ group: { name: "g", consumer }, claimMs: 50 });
    await followRedis({ url, channel: "run", secrets, ...group("a"), signal: dying.signal }, () => {
      dying.abort();
      throw new Error("died");
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const got = await heard(server, 3, group("b"));
    assertEquals(got.toSorted(), numbers(3));
    await bus.close();
  },
});

/** What followers of a Redis stream are told of messages that nobody could process, and of those that are gone. */
import { assertEquals, assertRejects } from "@std/assert";
import { openRedisBus } from "../../src/oona/adapters/redis_bus.ts";
import { followRedis } from "../../src/oona/adapters/redis_follower.ts";
import { UserError } from "../../src/util/errors.ts";
import { absent, startRedis } from "../support/servers.ts";

Deno.test({
  name: "a group's poisoned message becomes a dead letter, and who asks for what was trimmed is refused",
  ignore: absent("redis-server"),
  async fn() {
    await using server = await startRedis();
    const { url } = server, channel = "run", secrets = {};
    const bus = await openRedisBus({ url, channel, owner: "test", secrets, kept: 100 });
    for (let k = 0; k < 3; k++) await bus.publish("notice", { level: "info", text: `${k}` });
    await bus.drain();
    const got: string[] = [], end = new AbortController();
    const group = { name: "g", consumer: "a" };
    await followRedis(
      { url, channel, secrets, group, tries: 2, signal: end.signal },
      ({ topic, payload }) => {
        if (topic !== "notice") return;
        got.push(payload.text);
        if (payload.text === "1") throw new Error("poisoned");
        if (payload.text === "2") end.abort();
      },
    );
    assertEquals(got, ["0", "1", "1", "2"]);
    const args = ["-p", `${server.port}`, "xrange", "esper:{run}:dead", "-", "+"];
    const { stdout } = await new Deno.Command("redis-cli", { args }).output();
    const fields = new TextDecoder().decode(stdout).trim().split("\n").slice(1);
    assertEquals([fields[1], fields[3], fields[7]], ["g", "2-0", "poisoned"]);

    for (let k = 3; k < 1000; k++) await bus.publish("notice", { level: "info", text: `${k}` });
    await bus.drain();
    await assertRejects(
      () => followRedis({ url, channel, secrets, from: 2, signal: end.signal }, () => {}),
      UserError,
      /want "run" from 2 on, got a stream that begins with \d{3}; the run's events\.jsonl has everything/,
    );
    await bus.close();
  },
});

import { openRedisBus } from "../../src/oona/adapters/redis_bus.ts";
import { busSuite } from "../conformance/bus_suite.ts";
import { absent, type Server, startRedis } from "../support/servers.ts";

const ignore = absent("redis-server");
let server: Server | undefined;
Deno.test.beforeAll(async () => {
  if (!ignore) server = await startRedis({ aof: true, password: "secret" });
});
Deno.test.afterAll(() => server?.stop());

let channels = 0;
busSuite(
  "openRedisBus()",
  (now, history) =>
    openRedisBus({
      url: `redis://127.0.0.1:${server!.port}`,
      channel: `suite-${++channels}`,
      owner: "suite",
      secrets: { password: "secret" },
      now,
      history,
    }),
  ignore,
);

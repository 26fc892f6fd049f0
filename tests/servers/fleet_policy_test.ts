/** A policy that a fleet trains is the one that is trained here, though its first worker is asked to leave. */
import { assertEquals, assertRejects } from "@std/assert";
import { joinFleet } from "../../src/app/fleet/fleet.ts";
import { serveFleet } from "../../src/app/fleet/serve.ts";
import { resolvePolicyTraining } from "../../src/app/policy_config.ts";
import { trainPolicy } from "../../src/app/train_policy.ts";
import { UserError } from "../../src/util/errors.ts";
import { absent, startPostgres } from "../support/servers.ts";

const config = resolvePolicyTraining({
  iterations: 3,
  collect: { simulated: 2, real: 0 },
  clone: { episodes: 2, real: 0, epochs: 1 },
  ppo: { batch: 16, epochs: 1 },
  evaluate: { every: 1, tasks: 1, episodes: 1 },
});
const never = new AbortController().signal;

Deno.test({
  name: "a policy that a fleet trains has the bits of one that is trained here, whoever left in between",
  ignore: absent("postgres"),
  async fn() {
    await using server = await startPostgres();
    const root = await Deno.makeTempDir(), url = await server.database(), blobs = `file:${root}/blobs`;
    try {
      const here = await trainPolicy({
        ...{ config, tasks: [], backend: "native", out: root, resume: null, signal: never, onLine() {} },
      });
      const fleet = await joinFleet({ url, blobs, backend: "native", verify: 0, priority: 0, onLine() {} });
      const serve = (id: string, signal: AbortSignal, stopAt: number, stop = () => {}) =>
        serveFleet({
          ...{ url, blobs, backend: "native", id, host: "here", signal, untilEmpty: false, onEvent() {} },
          scratch: `${root}/${id}`,
          onProgress: ({ step }) => step >= stopAt && stop(),
        });
      try {
        const first = new AbortController(), second = new AbortController();
        const training = fleet.trainPolicy(config, [], `${root}/out`, never);
        assertEquals(await serve("first", first.signal, 1, () => first.abort()), { completed: 0, failed: 0 });
        const serving = serve("second", second.signal, 99);
        const result = await training;
        second.abort();
        assertEquals(await serving, { completed: 1, failed: 0 });
        assertEquals(result?.policy?.sha256, here.policy?.sha256);
        assertEquals(Deno.readFileSync(result!.policy!.path), Deno.readFileSync(here.policy!.path));
        await assertRejects(
          () => fleet.trainPolicy({ ...config, minutes: 1 }, [], root, never),
          UserError,
          "--minutes",
        );
      } finally {
        await fleet.close();
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});

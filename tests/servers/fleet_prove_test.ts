/** A proof by a fleet: the same bytes whoever ran it, though a worker is killed in mid-run and one is an hour ahead. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { resolveConfig } from "../../src/app/config.ts";
import { openFleetStore } from "../../src/app/adapters/fleet_store.ts";
import { joinFleet } from "../../src/app/fleet/fleet.ts";
import { prove } from "../../src/app/prove/prove.ts";
import { parseProof } from "../../src/app/prove/proof_config.ts";
import { readConfig } from "../../src/cli/config_file.ts";
import { wait } from "../../src/util/wait.ts";
import { absent, startPostgres } from "../support/servers.ts";

const SETS = [
  ...["data.kind=digits", "data.pixels=14", "data.trainLimit=1000", "data.augment.flip=false"],
  ...["data.split.control=128", "data.split.validation=256", "host.channels=2,5", "host.norm=batch"],
  ...["train.budgetGflop=0.45", "train.learningRate.peak=0.2", "loop.tickSteps=15", "loop.controlBatches=2"],
  ...["loop.validationTicks=2", "loop.checkpointTicks=1", "growth.slots=*", "growth.blueprints=conv3"],
  ...["growth.incubation=none", "growth.paramsBudget=9", "growth.flopsBudget=4", "growth.alpha.ticks=2"],
  ...["growth.gates.minTicksLeft=3", "growth.gates.trainingTicks=1", "growth.gates.holdingTicks=1"],
  ...["growth.gates.confidence=0", "growth.gates.removalMeasurements=1", "controller.germinateFrom=0.02"],
  ...["controller.everyTicks=2", "controller.confidence=0"],
];
const proof = parseProof({
  name: "tiny",
  task: { config: "fashion_mnist", set: SETS },
  seeds: { count: 2 },
  headroom: { first: 106, count: 2, planted: [{ slot: "block2", blueprint: "conv3" }] },
  arms: ["heuristic"],
});
const task = resolveConfig({ file: readConfig("fashion_mnist"), sets: SETS, flags: {} }, "small");

/** Puts the clock of the program that follows an hour ahead. */
const AHEAD = `const now = Date.now; Date.now = () => now() + 3600_000;`;

interface Worker {
  kill(signal: Deno.Signal): void;
  /** Resolves once it has said so, or has ended. */
  says(text: string): Promise<void>;
  /** All that it said. */
  ended: Promise<string>;
}

function startWorker(name: string, args: string[], env: Record<string, string>, before = ""): Worker {
  const preload = before === ""
    ? []
    : ["--preload", `data:application/javascript,${encodeURIComponent(before)}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...preload, "main.ts", "worker", ...args, "--name", name],
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let said = "", news = Promise.withResolvers<void>(), over = false;
  const ended = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      news.resolve();
      news = Promise.withResolvers();
    }
    await child.status;
    over = true;
    news.resolve();
    return said;
  })();
  return {
    kill: (signal) => child.kill(signal),
    async says(text) {
      while (!said.includes(text) && !over) await news.promise;
    },
    ended,
  };
}

Deno.test({
  name:
    "a proof by four workers, one killed, one drained, one an hour ahead, has the bytes of one by one worker",
  ignore: absent("postgres"),
  async fn() {
    await using server = await startPostgres();
    const out = await Deno.makeTempDir();

    /** Has a new fleet with a store of its own prove it; `crew` starts its workers. */
    async function proveWith(
      crew: (
        start: (name: string, before?: string) => Worker,
        begun: () => Promise<boolean>,
      ) => Promise<readonly Worker[]>,
    ): Promise<{ text: string; logs: string[] }> {
      const secret = await server.database(), url = secret.replace(/:[^:@]*@/, "@");
      const blobs = `file:${await Deno.makeTempDir({ dir: out })}`;
      const args = ["--fleet", url, "--blobs", blobs, "--backend", "native"];
      const env = { PGPASSWORD: new URL(secret).password };
      const fleet = await joinFleet({
        ...{ url: secret, blobs, backend: "native", verify: 0.2, priority: 0, onLine() {} },
      });
      const { store, close } = await openFleetStore(secret, blobs);
      try {
        const proving = prove({
          ...{ proof, task, backend: "native", out, resume: null, lanes: 1, headroomOnly: false, fleet },
          ...{ command: "prove tiny", signal: new AbortController().signal, onLine() {} },
        });
        const workers = await crew(
          (name, before) => startWorker(name, args, env, before),
          async () => (await store.listManifests("fleet-progress")).length > 0,
        );
        const { directory } = await proving;
        for (const { kill } of workers) {
          try {
            kill("SIGTERM");
          } catch { /* it has ended */ }
        }
        const logs = await Promise.all(workers.map(({ ended }) => ended));
        return { text: await Deno.readTextFile(`${directory}/proof.json`), logs };
      } finally {
        await fleet.close();
        await close();
      }
    }

    try {
      const alone = await proveWith((start) => Promise.resolve([start("w0")]));
      const many = await proveWith(async (start, begun) => {
        const killed = start("w0");
        while (!await begun()) await wait(50);
        killed.kill("SIGKILL");
        const drained = start("w1");
        await drained.says(": begun");
        drained.kill("SIGTERM");
        return [killed, drained, start("w2"), start("w3", AHEAD)];
      });
      assertEquals(many.text, alone.text);
      assertEquals(JSON.parse(many.text).faults, []);
      assertStringIncludes(many.logs[1], "given back, with a checkpoint");
      assert(many.logs.some((log) => log.includes("goes on from step")), many.logs.join());
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});

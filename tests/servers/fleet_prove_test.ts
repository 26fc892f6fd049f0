/** A proof by a fleet: the same bytes whoever ran it, though a worker is killed in mid-run and one is an hour ahead. */
import { assert, assertEquals } from "@std/assert";
import { resolveConfig } from "../../src/app/config.ts";
import { joinFleet } from "../../src/app/fleet/fleet.ts";
import { prove } from "../../src/app/prove/prove.ts";
import { parseProof } from "../../src/app/prove/proof_config.ts";
import { readConfig } from "../../src/cli/config_file.ts";
import type { WorkerCard } from "../../src/contracts/fleet.ts";
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
  readonly name: string;
  kill(signal: Deno.Signal): void;
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
  return {
    name,
    kill: (signal) => child.kill(signal),
    ended: child.output().then(({ stdout }) => new TextDecoder().decode(stdout)),
  };
}

Deno.test({
  name:
    "a proof by four workers, one killed, one drained, one an hour ahead, has the bytes of one by one worker",
  ignore: absent("postgres"),
  async fn() {
    await using server = await startPostgres();
    const out = await Deno.makeTempDir();

    /** Has a new fleet with a store of its own prove it. */
    async function proveWith(
      count: number,
      verify: number,
      onWorkers: (cards: readonly WorkerCard[], workers: readonly Worker[]) => void = () => {},
    ): Promise<{ text: string; lines: string[]; logs: string[] }> {
      const secret = await server.database(), url = secret.replace(/:[^:@]*@/, "@");
      const place = await Deno.makeTempDir({ dir: out }), lines: string[] = [];
      const args = ["--fleet", url, "--blobs", `file:${place}`, "--backend", "native"];
      const env = { PGPASSWORD: new URL(secret).password };
      const workers = Array.from(
        { length: count },
        (_, k) => startWorker(`w${k}`, args, env, k === 3 ? AHEAD : ""),
      );
      const fleet = await joinFleet({
        ...{ url: secret, blobs: `file:${place}`, backend: "native", verify, priority: 0 },
        onWorkers: (cards) => onWorkers(cards, workers),
        onLine: (line) => void lines.push(line),
      });
      try {
        const { directory } = await prove({
          ...{ proof, task, backend: "native", out, resume: null, lanes: 1, headroomOnly: false, fleet },
          ...{ command: "prove tiny", signal: new AbortController().signal },
          onLine: (line) => void lines.push(line),
        });
        return {
          text: await Deno.readTextFile(`${directory}/proof.json`),
          lines,
          logs: await Promise.all(workers.map(({ kill, ended }) => {
            try {
              kill("SIGTERM");
            } catch { /* it was killed before */ }
            return ended;
          })),
        };
      } finally {
        await fleet.close();
      }
    }

    try {
      const alone = await proveWith(1, 0);
      let killed = false, drained = false;
      const many = await proveWith(4, 0.3, (cards, workers) => {
        for (const { id, doing: [one] } of cards) {
          const worker = workers.find(({ name }) => name === id)!;
          if (!one || one.done < 0.3) continue;
          if (!killed && id === "w0") {
            killed = true;
            worker.kill("SIGKILL");
          } else if (!drained && id === "w1") {
            drained = true;
            worker.kill("SIGTERM");
          }
        }
      });
      assertEquals(many.text, alone.text);
      assertEquals(JSON.parse(many.text).faults, []);
      assertEquals([killed, drained], [true, true]);
      assert(
        many.lines.some((line) => /^fleet: \d+ jobs done twice came to the same$/.test(line)),
        `${many.lines}`,
      );
      assert(many.logs[1].includes("given back, with a checkpoint"), many.logs[1]);
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});

/**
 * Kills small runs at random moments and goes on with them, with and without a power cut that takes what was not synced,
 * until each has ended; then compares numbers, state and log with those of a run that nobody disturbed.
 * `deno run -A tests/e2e/soak.ts [--kills 100] [--seed S]`
 */
import { parseArgs } from "node:util";
import { assertEquals } from "@std/assert";
import { cutPower } from "../support/power_cut.ts";
import { runEsper } from "../support/subprocess.ts";
import { testRandom } from "../support/values.ts";
import {
  ENVIRONMENT,
  follow,
  jsonLines,
  loggedEdges,
  newestCheckpoint,
  newRun,
  withConfig,
} from "./program.ts";

/** A seed becomes a fossil, another is pruned, a third is sown late; a checkpoint every second tick. */
const JOB = {
  train: { maxSteps: 90 },
  loop: { checkpointTicks: 2, keepCheckpoints: 2 },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 6, action: "germinate", slot: "layer1", blueprint: "affine" },
      { tick: 8, action: "fossilize", slot: "layer2" },
      { tick: 12, action: "prune", slot: "layer1" },
    ],
  },
};
const RUN = "runs/points-1";

/** Everything that a run comes to, but for what the clock on the wall says. */
async function outcome(root: string) {
  const run = `${root}/${RUN}`, { present, blessed } = await newestCheckpoint(run);
  for (const { state } of [present, blessed]) delete state.lifecycle.times;
  const lines = [...await jsonLines(`${run}/events.jsonl`), ...await jsonLines(`${run}/metrics.jsonl`)];
  return {
    present,
    blessed,
    edges: await loggedEdges(run),
    ticks: lines.flatMap(({ topic, tick, controlLoss, decision }) =>
      topic === "tick.report" ? [{ tick, controlLoss, decision }] : []
    ),
    weights: lines.findLast(({ topic }) => topic === "run.finished").weights,
  };
}

export interface Soaked {
  kills: number;
  powerCuts: number;
  /** Runs that ended, each the same as the undisturbed one. */
  runs: number;
  /** Kills before a run had a configuration, after which it was begun anew. */
  begunAnew: number;
}

/** Kills runs until there were `kills`; the last run is left to end. `tell` is told of each kill and each end. */
export async function soak(
  kills: number,
  seed: string,
  tell: (line: string) => void = () => {},
): Promise<Soaked> {
  const random = testRandom(seed), draw = (choices: number) => Math.floor(choices * random());
  const reference = await withConfig("points", JOB, async (root) => {
    assertEquals((await follow(newRun(root))).code, 0);
    return await outcome(root);
  });
  const done: Soaked = { kills: 0, powerCuts: 0, runs: 0, begunAnew: 0 };
  while (done.kills < kills) {
    await withConfig("points", JOB, async (root) => {
      const records = `${root}/records`;
      Deno.mkdirSync(records);
      Deno.mkdirSync(`${root}/runs`);
      for (;;) {
        const begun = isFile(`${root}/${RUN}/config.json`);
        if (!begun && done.kills > 0 && isFolder(`${root}/${RUN}`)) {
          done.begunAnew++;
          Deno.removeSync(`${root}/${RUN}`, { recursive: true });
        }
        // A third of the lives ends within so much time of their start, the others at a line, once training is under way.
        const doomed = done.kills < kills, early = draw(3) === 0;
        const delayMs = random() * (early ? 1500 : 40), at = 1 + draw(40);
        let count = 0, timer: ReturnType<typeof setTimeout> | undefined;
        const { code, signal } = await follow(
          begun ? ["--resume", `${root}/${RUN}`] : newRun(root),
          (_, kill) => {
            if (doomed && !early && ++count === at) timer = setTimeout(() => kill("SIGKILL"), delayMs);
          },
          {
            program: ["tests/support/watched_program.ts", records],
            ...doomed && early && { killAfterMs: delayMs },
          },
        );
        clearTimeout(timer);
        if (signal === null) {
          assertEquals(code, 0, `a run that was left alone ended with ${code}`);
          break;
        }
        done.kills++;
        const power = draw(2) === 0;
        if (power) {
          done.powerCuts++;
          cutPower(`${root}/runs`, records, draw);
        }
        const when = early ? `${delayMs.toFixed(0)} ms` : `line ${at} and ${delayMs.toFixed(1)} ms`;
        tell(`kill ${done.kills}: after ${when}${power ? ", with a power cut" : ""}`);
      }
      assertEquals(await outcome(root), reference);
      const { code, stderr } = await runEsper(["replay", `${root}/${RUN}`], ENVIRONMENT);
      assertEquals([code, stderr], [0, ""]);
      done.runs++;
      tell(
        `run ${done.runs} ended with weights ${
          reference.weights.slice(0, 12)
        }…, as the undisturbed one, and replays`,
      );
    });
  }
  return done;
}

const kindOf = (path: string) => {
  try {
    return Deno.statSync(path);
  } catch {
    return null;
  }
};
const isFile = (path: string) => kindOf(path)?.isFile === true;
const isFolder = (path: string) => kindOf(path)?.isDirectory === true;

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      kills: { type: "string", default: "100" },
      seed: { type: "string", default: `${Date.now()}` },
    },
  });
  console.log(`seed ${values.seed}`);
  const { kills, powerCuts, runs, begunAnew } = await soak(Number(values.kills), values.seed, console.log);
  console.log(
    `${kills} kills, ${powerCuts} of them with a power cut: ${runs} of ${runs} runs ended as the undisturbed one; ` +
      `${begunAnew} kills came before there was a configuration`,
  );
}

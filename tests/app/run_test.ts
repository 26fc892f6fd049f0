import { assert, assertEquals, assertRejects } from "@std/assert";
import { writeNetwork } from "../../src/app/export_file.ts";
import type { RunOptions, RunResult } from "../../src/app/options.ts";
import { runTraining } from "../../src/app/run.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import { UserError } from "../../src/util/errors.ts";
import { grownNetwork } from "../support/exported.ts";
import { tinyConfig } from "../support/session.ts";

async function inFolder(work: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Runs a tiny configuration into `root` and returns what came of it with all events. */
async function run(
  root: string,
  changes: object,
  options: Partial<RunOptions> = {},
): Promise<{ result: RunResult; events: AnyEnvelope[] }> {
  const events: AnyEnvelope[] = [];
  const result = await runTraining({
    config: { file: tinyConfig("points", changes), sets: [], flags: {} },
    profile: "auto",
    backend: "native",
    out: `${root}/runs`,
    resume: null,
    dryRun: false,
    signal: new AbortController().signal,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { result, events };
}

Deno.test("runTraining() begins with run.started, ends with run.finished, and opens the test split once", async () => {
  await inFolder(async (root) => {
    const { result, events } = await run(root, { train: { maxSteps: 6 } });
    assertEquals([events[0].topic, events.at(-1)!.topic], ["run.started", "run.finished"]);
    assertEquals([result.outcome, result.steps, result.directory], ["completed", 6, `${root}/runs/points-1`]);
    assertEquals([result.before, result.after?.split, result.test?.split], [null, "validation", "test"]);
    assertEquals([result.grown, result.seeds, result.dryRun], [result.host, [], null]);
    const finished = events.at(-1)!.payload;
    assert("reason" in finished && finished.reason === "completed");
  });
});

Deno.test("runTraining() scores the validation split at the ticks that are asked for, and pays for it", async () => {
  await inFolder(async (root) => {
    const changes = { train: { maxSteps: 16 } };
    const plain = await run(root, changes);
    const scored = await run(root, { ...changes, loop: { validationTicks: 2 } });
    const scores = scored.events.flatMap(({ topic, payload }) => topic === "tick.report" ? [payload] : [])
      .map(({ tick, validation }) => [tick, validation] as const);
    assertEquals(scores.map(([tick, score]) => [tick, score !== undefined]), [
      [1, false],
      [2, true],
      [3, false],
      [4, true],
    ]);
    const last = scored.result.after!, told = scores[3][1]!;
    assertEquals([told.loss, told.accuracy, told.params], [
      last.loss,
      last.accuracy,
      scored.result.host.params,
    ]);
    assert(scored.result.flops > plain.result.flops && scored.result.weights === plain.result.weights);
  });
});

Deno.test("runTraining() scores fossils only: a seed that is not one when the budget ends is left out", async () => {
  await inFolder(async (root) => {
    const { result } = await run(root, {
      // Ticks are left when the seed is sown, and none when it would have to be blended out.
      train: { maxSteps: 17 },
      growth: { gates: { blendOutTicks: 1, minTicksLeft: 0 } },
      controller: {
        kind: "fixed",
        schedule: [{ tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" }],
      },
    });
    assertEquals([result.seeds.length, result.grown], [1, result.host]);
    assertEquals(result.before?.step, 4);
  });
});

Deno.test("runTraining() that is interrupted before it begins leaves a checkpoint of step 0 and goes on from it", async () => {
  await inFolder(async (root) => {
    const changes = { train: { maxSteps: 4 } };
    const { result } = await run(root, changes, { signal: AbortSignal.abort() });
    assertEquals([result.outcome, result.steps, result.test], ["interrupted", 0, null]);
    const resumed = await run(root, changes, { resume: result.directory, profile: "full" });
    const { outcome, steps, notices, profile } = resumed.result;
    assertEquals([outcome, steps, notices, profile], ["completed", 4, result.notices, result.profile]);
  });
});

Deno.test("runTraining() as a dry run tells shapes and memory and writes nothing", async () => {
  await inFolder(async (root) => {
    const { result } = await run(root, {}, { dryRun: true });
    assertEquals([...Deno.readDirSync(root)], []);
    assertEquals(result.directory, null);
    const { layers, memoryBytes, loss } = result.dryRun!;
    assertEquals(layers.map(({ name }) => name), ["layer1", "layer2", "head"]);
    assertEquals(layers.reduce((total, { params }) => total + params, 0), result.host.params);
    assert(memoryBytes > 4 * result.host.params && loss > 0);
  });
});

Deno.test("runTraining() reads a schedule from a file into the configuration it keeps", async () => {
  await inFolder(async (root) => {
    const schedule = `${root}/schedule.json`;
    const entries = [{ tick: 90, action: "prune", slot: "layer1" }];
    const changes = { train: { maxSteps: 2 }, controller: { kind: "fixed", schedule } };
    await Deno.writeTextFile(schedule, JSON.stringify(entries));
    const { result } = await run(root, changes);
    const kept = JSON.parse(await Deno.readTextFile(`${result.directory}/config.json`));
    assertEquals(kept.controller, { kind: "fixed", schedule: entries });
    await Deno.writeTextFile(schedule, '[{ "tick": 1, "action": "water", "slot": "layer1" }]');
    await assertRejects(() => run(root, changes), UserError, `schedule ${schedule}: want a list of`);
    assertEquals([...Deno.readDirSync(`${root}/runs`)].map(({ name }) => name), ["points-1"]);
  });
});

Deno.test("runTraining() ends when its log can take no more, with that as its error", async () => {
  await inFolder(async (root) => {
    const changes = { train: { maxSteps: 40 } };
    const { result } = await run(root, changes, { signal: AbortSignal.abort() });
    const log = `${result.directory}/metrics.jsonl`, events: AnyEnvelope[] = [];
    await assertRejects(
      () =>
        run(root, changes, {
          resume: result.directory,
          onEvent(event) {
            events.push(event);
            if (event.topic === "run.started") fillDisk();
          },
        }),
      UserError,
      `urza: want to write ${log}, got a full disk (ENOSPC); free some space or choose another folder`,
    );
    const steps = events.flatMap((event) => event.topic === "step.metrics" ? [event.payload.step] : []);
    assert(steps.at(-1)! < 40, `trained on to step ${steps.at(-1)}`);
    const ends = events.flatMap((event) => event.topic === "run.finished" ? [event.payload.reason] : []);
    assertEquals(ends, ["failed"]);
  });
});

Deno.test("runTraining() goes on from an older checkpoint where the newest is damaged, says so, and comes to the same", async () => {
  await inFolder(async (root) => {
    const changes = { train: { maxSteps: 30 }, loop: { checkpointTicks: 2 } };
    const whole = await run(root, changes);
    const stop = new AbortController();
    const hooks = [{ onStep: (step: number) => void (step === 21 && stop.abort()) }];
    const { result } = await run(root, changes, { hooks, signal: stop.signal });
    const newest = `${result.directory}/store/manifests/checkpoint/step-000000021.json`;
    await Deno.writeFile(newest, (await Deno.readFile(newest)).slice(0, 500));
    const resumed = await run(root, changes, { resume: result.directory });
    assertEquals(resumed.result.weights, whole.result.weights);
    const told = "the run goes on from step-000000016, an older checkpoint: urza: want ";
    const [notice, ...more] = resumed.result.notices.filter((text) => text.startsWith(told));
    assert(notice.includes(newest) && more.length === 0, notice);
    const warned = resumed.events.flatMap(({ topic, payload }) => topic === "notice" ? [payload.text] : []);
    assertEquals(warned.filter((text) => text.startsWith("nothing was removed")), []);
    // The best one is a network, too.
    const { exportRun } = await import("../../src/app/export.ts");
    const written = { directory: result.directory!, format: "safetensors" as const, out: null };
    const steps = [];
    for (const checkpoint of [null, "best", "step-000000024"]) {
      steps.push((await exportRun({ ...written, checkpoint })).network.origin.step);
    }
    const { value } = JSON.parse(
      await Deno.readTextFile(`${result.directory}/store/manifests/checkpoint/best.json`),
    );
    assertEquals(steps, [30, value.present.state.progress.step, 24]);
    await assertRejects(
      () => exportRun({ ...written, checkpoint: "worst" }),
      UserError,
      '--checkpoint: want newest, best or a step out of 16, 24, 30, got "worst"',
    );
  });
});

Deno.test("runTraining() says where a network from a file was trained on inputs normalised otherwise", async () => {
  await inFolder(async (root) => {
    const path = `${root}/host.safetensors`;
    const input = (mean: number, std: number) => ({
      ...{ shape: [28, 28, 1], classes: [..."0123456789"] },
      normalisation: { mean: [mean], std: [std] },
    });
    const told = async (mean: number, std: number) => {
      const host = { kind: "cnn" as const, channels: [4], norm: "batch" as const, groupSize: 4 };
      await Deno.writeFile(path, writeNetwork(grownNetwork(host, input(mean, std))));
      const file = { ...tinyConfig("images"), host: { kind: "file", path } };
      const { result } = await run(root, {}, { dryRun: true, config: { file, sets: [], flags: {} } });
      return result.notices.filter((notice) => notice.startsWith("the network from the file"));
    };
    const [notice, ...more] = await told(0.5, 0.5);
    assertEquals(more, []);
    const [, mean, std] = /by its own statistics: by mean (0[.]\d+) and deviation (0[.]\d+)$/.exec(notice)!;
    assertEquals(await told(Number(mean), Number(std)), []);
  });
});

/** Makes the next line of metrics meet a full disk, which no test can be given without rights. */
function fillDisk(): void {
  const write = Deno.FsFile.prototype.writeSync;
  Deno.FsFile.prototype.writeSync = function (bytes: Uint8Array): number {
    if (!new TextDecoder().decode(bytes).includes("step.metrics")) return write.call(this, bytes);
    Deno.FsFile.prototype.writeSync = write;
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  };
}

/** A device that is lost costs the steps since the newest checkpoint, and no bit. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { RunOptions, RunResult } from "../../src/app/options.ts";
import { replayRun } from "../../src/app/replay.ts";
import { runTraining } from "../../src/app/run.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import type { BackendName, Gpu } from "../../src/engine/gpu/device.ts";
import { GpuError } from "../../src/engine/gpu/errors.ts";
import { loggedEdges, newestCheckpoint } from "../e2e/program.ts";
import { openOwn, openShared } from "../support/devices.ts";
import { tinyConfig } from "../support/session.ts";

/** A seed is sown, blended in and made a fossil; a checkpoint every second tick of four steps. */
const GROWING = {
  train: { maxSteps: 42 },
  loop: { checkpointTicks: 2 },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 8, action: "fossilize", slot: "layer2" },
    ],
  },
};

/** The same without growth, and without the thread that compiles. */
const PLAIN = { ...GROWING, controller: { kind: "off" } };

interface Outcome {
  readonly result: RunResult;
  readonly events: readonly AnyEnvelope[];
  /** All that must be the same whatever happened on the way. */
  readonly lasting: unknown;
}

async function inFolder<T>(work: (root: string) => Promise<T>): Promise<T> {
  const root = await Deno.makeTempDir();
  try {
    return await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Trains into `root` on devices from `open`. */
async function train(
  root: string,
  open: () => Promise<Gpu>,
  options: Partial<RunOptions> = {},
  changes: object = GROWING,
): Promise<Outcome> {
  const events: AnyEnvelope[] = [];
  const result = await runTraining({
    config: { file: tinyConfig("points", changes), sets: [], flags: {} },
    profile: "small",
    backend: "native",
    openGpu: open,
    out: root,
    resume: null,
    dryRun: false,
    signal: new AbortController().signal,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  if (result.directory === null) return { result, events, lasting: null };
  const { present, blessed } = await newestCheckpoint(result.directory);
  // What the clock on the wall says.
  for (const { state } of [present, blessed]) delete state.lifecycle.times;
  const { weights, steps, flops, after, test } = result;
  const edges = await loggedEdges(result.directory);
  return { result, events, lasting: { present, blessed, weights, steps, flops, after, test, edges } };
}

let reference: Promise<unknown> | undefined;
/** What a run comes to that loses no device. */
function undisturbed(): Promise<unknown> {
  return reference ??= inFolder(async (root) => (await train(root, () => openOwn("native"))).lasting);
}

/** Loses the device in the place of a submit: the first for which `now` says so. */
function losingAt(gpu: Gpu, now: () => boolean): Gpu {
  const { queue } = gpu.device;
  const submit = queue.submit.bind(queue);
  queue.submit = (commands) => {
    if (now()) gpu.device.destroy();
    return submit(commands);
  };
  return gpu;
}

/** Devices one after the other, each lost when its condition holds; those after them stay. */
function openLosing(backend: BackendName, conditions: readonly (() => boolean)[]) {
  let opened = 0;
  return async () => {
    const gpu = await openOwn(backend), condition = conditions[opened++];
    return condition ? losingAt(gpu, condition) : gpu;
  };
}

const noticesOf = ({ result }: Outcome) => result.notices.filter((text) => text.includes("was lost"));

Deno.test("a run that loses its device three times ends with the bits of one that loses none", async () => {
  await inFolder(async (root) => {
    const stops: string[] = [];
    let step = 0;
    const lost = await train(
      root,
      // Within the first tick, before any checkpoint; in a ramp; and at the end, before the last checkpoint is safe.
      openLosing("native", [() => step >= 2, () => step >= 23, () => stops.length > 0]),
      { hooks: [{ onStep: (taken) => void (step = taken), onStop: (outcome) => void stops.push(outcome) }] },
    );
    assertEquals(lost.lasting, await undisturbed());
    assertEquals(stops, ["completed"], "hooks hear of one end");
    assertEquals(noticesOf(lost).length, 3, lost.result.notices.join("\n"));
    for (const text of noticesOf(lost)) {
      assert(
        /^the device was lost at step \d+ \(.+\): a new one goes on from the newest checkpoint$/.test(text),
        text,
      );
    }
    const starts = lost.events.flatMap((event) =>
      event.topic === "run.started" ? [event.payload.resumedAt] : []
    );
    assertEquals(starts, [0, 0, 16, 40]);
    const replayed = await replayRun({
      directory: lost.result.directory!,
      backend: "native",
      signal: new AbortController().signal,
    });
    assertEquals(replayed.weights, lost.result.weights);
  });
});

Deno.test("a device of Dawn's that is lost costs no bit", async () => {
  if (!await openShared("dawn")) return;
  await inFolder(async (root) => {
    const whole = await train(`${root}/whole`, () => openOwn("dawn"), {}, PLAIN);
    let step = 0;
    const hooks = [{ onStep: (taken: number) => void (step = taken) }];
    const lost = await train(`${root}/lost`, openLosing("dawn", [() => step >= 23]), { hooks }, PLAIN);
    assertEquals(lost.lasting, whole.lasting);
    assertEquals(noticesOf(lost).length, 1);
  });
});

Deno.test("a device that is lost while kernels compile, while a tick evaluates, or in a checkpoint, costs no bit", async () => {
  await inFolder(async (root) => {
    let compiling = false, ticks = 0, saving = false;
    const lost = await train(
      root,
      openLosing("native", [() => compiling, () => ticks === 5, () => saving]),
      {
        hooks: [{
          onMutation: (edges) => void (compiling = edges.some(({ to }) => to === "GERMINATED")),
          onTick(tick) {
            ticks = tick;
            // A checkpoint follows each second tick at once, and the first thing it does is to read.
            saving = tick === 10;
          },
        }],
      },
    );
    assertEquals(lost.lasting, await undisturbed());
    assertEquals(noticesOf(lost).length, 3);
  });
});

Deno.test("a run that loses every device is given up, and goes on by --resume", async () => {
  await inFolder(async (root) => {
    const stops: string[] = [], hooks = [{ onStop: (outcome: string) => void stops.push(outcome) }];
    let step = 0;
    const failed = () =>
      train(root, openLosing("native", Array(4).fill(() => step >= 20)), {
        hooks: [...hooks, { onStep: (taken) => void (step = taken) }],
      }, PLAIN);
    const error = await assertRejects(failed, GpuError);
    const folder = `${root}/points-1`;
    assert(
      /^training: want a device that works, got one that was lost at step \d+ \(.+\); /.test(error.message),
      error.message,
    );
    assert(error.message.endsWith(`; go on with --resume ${folder}`), error.message);
    assertEquals(stops, ["failed"]);
    const { result } = await train(root, () => openOwn("native"), { resume: folder }, PLAIN);
    assertEquals([result.outcome, result.steps], ["completed", 42]);
  });
});

Deno.test("a run does not go on where only another adapter is to be had, and a dry run not at all", async () => {
  await inFolder(async (root) => {
    const stops: string[] = [];
    let opened = 0, step = 0;
    const open = async () => {
      const gpu = await openOwn("native");
      if (opened++ === 0) return losingAt(gpu, () => step >= 6);
      return { ...gpu, adapter: { ...gpu.adapter, description: "something else" } };
    };
    const hooks = [{ onStep: (taken: number) => void (step = taken) }, {
      onStop: (why: string) => void stops.push(why),
    }];
    const error = await assertRejects(() => train(root, open, { hooks }, PLAIN), GpuError);
    assert(
      error.message.includes("got: something else (native), which may round otherwise; go on with"),
      error.message,
    );
    assertEquals([stops, opened], [["failed"], 5]);
    const dry = openLosing("native", [() => true]);
    await assertRejects(() => train(root, dry, { dryRun: true }, PLAIN), GpuError, "; try again");
  });
});

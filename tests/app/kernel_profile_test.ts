import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { byKernel, type KernelReport, traceOf } from "../../src/app/kernel_profile.ts";
import { KernelProfiler } from "../../src/app/kernel_profiler.ts";
import { kernelLines } from "../../src/report/kernel_lines.ts";
import { onEachDevice } from "../support/devices.ts";
import { NEVER, openSession, tinyConfig } from "../support/session.ts";

/** A seed that is part of the network from the second tick on. */
const GROWING = {
  train: { maxSteps: 16 },
  growth: { incubation: "none" },
  controller: {
    kind: "fixed",
    schedule: [{ tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" }],
  },
};

onEachDevice(
  "KernelProfiler profiles the first and the last program, and leaves no bit of a run changed",
  async (gpu) => {
    const train = async (profiled: boolean) => {
      const profiler = new KernelProfiler(gpu);
      const config = tinyConfig("points", GROWING);
      const session = await openSession(gpu, config, null, profiled ? [profiler.hooks] : []);
      profiler.follow(session.trainer);
      await session.start(false);
      await session.trainer.run(NEVER);
      const numbers = await session.trainer.parts.store.read();
      await session.bus.drain();
      const losses = session.events.flatMap(({ topic, payload }) =>
        topic === "step.metrics" ? [payload.loss] : []
      );
      const report = await profiler.report();
      await session.destroy();
      return { numbers, losses, report };
    };
    const plain = await train(false), profiled = await train(true);
    assertEquals(profiled.numbers, plain.numbers);
    assertEquals(profiled.losses, plain.losses);
    assertEquals(plain.report.profiles, []);

    const [first, last, ...more] = profiled.report.profiles;
    assertEquals([first.step, first.seeds, more], [5, [], []]);
    assertEquals([last.step, last.seeds], [16, ["layer2 mlp (blend)"]]);
    assert(first.intermediateBytes > 0 && last.intermediateBytes > first.intermediateBytes);
    assertEquals(profiled.report.peakBytes, gpu.allocator.peakBytes);
    assert(last.dispatches.length > first.dispatches.length);
    for (const { kernels, dispatches, kernelSeconds } of [first, last]) {
      assertEquals(kernels.reduce((total, { count }) => total + count, 0), dispatches.length);
      assert(Math.abs(kernels.reduce((total, { share }) => total + share, 0) - 1) < 1e-9);
      assert(kernels.every(({ seconds }, k) => k === 0 || seconds <= kernels[k - 1].seconds));
      assert(kernels[0].seconds <= kernelSeconds);
    }
    assertTrace(profiled.report);
  },
);

/** What the viewers need: named tracks, numbers for times, and slices of one track one after the other. */
function assertTrace(report: KernelReport): void {
  const { traceEvents } = JSON.parse(JSON.stringify(traceOf(report))) as ReturnType<typeof traceOf>;
  const processes = new Set(traceEvents.map(({ pid }) => pid));
  assertEquals(processes.size, report.profiles.length);
  for (const [k, profile] of report.profiles.entries()) {
    const events = traceEvents.filter(({ pid }) => pid === k + 1);
    const names = events.filter(({ ph }) => ph === "M").map(({ name, args }) => `${name} ${args!.name}`);
    assertEquals(names, [
      `process_name training step at step ${profile.step}: ${["host", ...profile.seeds].join(", ")}`,
      "thread_name host",
      "thread_name kernels",
    ]);
    const tracks = Map.groupBy(events.filter(({ ph }) => ph === "X"), ({ tid }) => tid);
    assertEquals([...tracks.keys()], [1, 2]);
    assertEquals(tracks.get(1)!.map(({ name }) => name), ["encode", "submit"]);
    assertEquals(tracks.get(2)!.map(({ name }) => name), profile.dispatches.map(({ name }) => name));
    for (const track of tracks.values()) {
      let done = 0;
      for (const { ts, dur } of track) {
        assert(Number.isFinite(ts) && Number.isFinite(dur) && dur! >= 0);
        assert(ts! >= done - 1e-6, `${ts} begins before ${done}`);
        done = ts! + dur!;
      }
    }
  }
}

const PEAK = { flops: 2e12, bytes: 1e12 };
const dispatch = (name: string, seconds: number, flops = 0, bytes = 0) => ({
  ...{ name, what: name, seconds, flops, bytes },
});
const DISPATCHES = [
  dispatch("copy", 1e-6, 0, 5e5),
  dispatch("product", 5e-6, 5e6, 1e5),
  dispatch("copy", 2e-6, 0, 1e6),
];

Deno.test("byKernel() sums by name, longest first", () => {
  assertEquals(
    byKernel(DISPATCHES, PEAK).map(({ name, count, flops, bytes }) => [name, count, flops, bytes]),
    [
      ["product", 1, 5e6, 1e5],
      ["copy", 2, 0, 1.5e6],
    ],
  );
  const [product, copy] = byKernel(DISPATCHES, PEAK);
  assert(Math.abs(product.share - 5 / 8) < 1e-12 && Math.abs(product.ofPeak - 0.5) < 1e-12);
  assert(Math.abs(copy.ofPeak - 0.5) < 1e-12);
  assertEquals(byKernel([], PEAK), []);
});

Deno.test("kernelLines() shows time, share, rates and the share of the peak", () => {
  const profile = {
    ...{ step: 5, seeds: ["block2 conv3 (fossil)"], dispatches: DISPATCHES, spans: [], repeats: 5 },
    ...{ kernelSeconds: 8e-6, wallSeconds: 9e-6, encodeSeconds: 1e-6, submitSeconds: 2e-6 },
    ...{ kernels: byKernel(DISPATCHES, PEAK), intermediateBytes: 3 * 2 ** 20 },
  };
  assertEquals(kernelLines({ peak: PEAK, peakBytes: 2 ** 24, profiles: [profile] }), [
    "",
    "kernels of a training step, after step 5: host, block2 conv3 (fossil)",
    "",
    "kernel   count  time µs  share  GFLOP/s  GB/s  of peak",
    "-------  -----  -------  -----  -------  ----  -------",
    "product      1        5  62.5%     1000    20    50.0%",
    "copy         2        3  37.5%        -   500    50.0%",
    "",
    "3 dispatches take 8 µs one by one, a whole step 9 µs; the host encodes it in 1 µs and submits it in 2 µs; what it computes on " +
    "the way takes 3.00 MiB",
    "peak of this adapter, as measured: 2000 GFLOP/s, 1000 GB/s; most GPU memory held at one time: 16.0 MiB",
  ]);
  assertStringIncludes(kernelLines({ peak: PEAK, peakBytes: 0, profiles: [] }).join(), "nothing to profile");
});

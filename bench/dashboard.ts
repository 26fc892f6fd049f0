// What it costs a run to be watched: training on digits while nobody follows it, and while 200 do, one more of whom does
// not read. Blocks of ticks of both take turns, ABBA, within one run; of the pairs' ratios the median is printed with a
// 95 % bootstrap interval.
//
//   deno run -A bench/dashboard.ts [--clients 200] [--pairs 20] [--seconds N] [--ticks 4] [--channels 16,32,64] [--batch 64]
//     [--backend auto|native|dawn] [--quick] [--json FILE]
//
// --ticks is how many make a block; after --seconds no further pair begins. The watchers are a process of their own, which
// yields to the run where it can (nice). The bound is an upper end below 1.02; it means something only where they have
// processors of their own.
import { runTraining } from "../src/app/run.ts";
import { startDashboard } from "../src/report/dashboard/dashboard.ts";
import { bootstrapMedian } from "../src/util/statistics.ts";
import { openForBench } from "./support/device.ts";
import { readOptions } from "./support/options.ts";
import { startReport } from "./support/report.ts";

const options = readOptions({ clients: "", pairs: "", seconds: "", ticks: "4", channels: "", batch: "64" });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const pairs = Number(options.own.pairs || (options.quick ? 2 : 20)), ticks = Number(options.own.ticks);
const channels = (options.own.channels || (small ? "4,8" : "16,32,64")).split(",").map(Number);
const seconds = Number(options.own.seconds || Infinity);
const clients = Number(options.own.clients || (options.quick ? 20 : 200));
gpu.destroy();

const dashboard = await startDashboard(0, () => {}, (reason) => console.error(`dashboard: ${reason}`));
const watchers = new Deno.Command("nice", {
  args: [
    ...["-n", "19", Deno.execPath(), "run", "-A", "--no-check"],
    ...[new URL("support/watchers.ts", import.meta.url).pathname, dashboard.address, String(clients)],
  ],
  stdin: "piped",
  stdout: "piped",
}).spawn();
const orders = watchers.stdin.getWriter(),
  answers = watchers.stdout.pipeThrough(new TextDecoderStream()).getReader();
const tell = async (word: "on" | "off") => {
  await orders.write(new TextEncoder().encode(`${word}\n`));
  await answers.read();
};

/** Seconds of each block, watched or not. */
const blocks: { watched: boolean; seconds: number }[] = [];
/** ABBA: nobody, watched, watched, nobody. */
const isWatched = (block: number) => [false, true, true, false][block % 4];
const stop = new AbortController();
let at = -1, began = 0, inBlock = 0, first = 0;

const out = await Deno.makeTempDir();
try {
  await runTraining({
    config: {
      file: {
        name: "watched",
        data: { kind: "digits", split: { control: 512, validation: 512 } },
        host: { kind: "cnn", channels },
        train: { batch: Number(options.own.batch), budgetGflop: 1e9 },
        loop: { tickSteps: 50, controlBatches: 2, checkpointTicks: 1e6 },
        controller: { kind: "off" },
      },
      sets: [],
      flags: {},
    },
    profile: small ? "small" : "full",
    backend: options.backend,
    unsafeGpu: options.unsafe,
    out,
    resume: null,
    dryRun: false,
    signal: stop.signal,
    onEvent(event) {
      if (event.topic === "run.started") dashboard.folder(`${out}/${event.payload.run}`);
      // While nobody watches, a run without a dashboard is what is timed.
      if (at < 0 || isWatched(at) || event.topic === "run.finished") dashboard.event(event);
    },
    hooks: [{
      name: "bench",
      async onTick(tick) {
        const now = performance.now();
        if (at >= 0 && ++inBlock < ticks) return;
        if (at >= 0) blocks.push({ watched: isWatched(at), seconds: (now - began) / 1000 });
        // The first ticks warm up.
        if (at < 0 && tick < 2 * ticks) return;
        if (at < 0) first = now;
        const late = blocks.length % 2 === 0 && now - first > 1000 * seconds;
        if (blocks.length === 2 * pairs || late) stop.abort();
        else if (isWatched(at + 1) !== (at >= 0 && isWatched(at))) {
          await tell(isWatched(at + 1) ? "on" : "off");
        }
        at++;
        inBlock = 0;
        began = performance.now();
      },
    }],
  });
} finally {
  await dashboard.close();
  await orders.close().catch(() => {});
  await watchers.status;
  await Deno.remove(out, { recursive: true });
}

const ratios = Array.from({ length: Math.floor(blocks.length / 2) }, (_, k) => {
  const pair = blocks.slice(2 * k, 2 * k + 2);
  return pair.find(({ watched }) => watched)!.seconds / pair.find(({ watched }) => !watched)!.seconds;
});
const report = startReport("What it costs a run to be watched", options, gpu.adapter);
const row = { clients, ticks, pairs: ratios.length, ...bootstrapMedian(ratios) };
report.table("time of a tick, watched / not", {
  "watchers": (r: typeof row) => `${r.clients} and 1 stalled`,
  "ticks a block": (r) => String(r.ticks),
  "pairs": (r) => String(r.pairs),
  "ratio": (r) => r.median.toFixed(3),
  "95 % interval": (r) => `${r.low.toFixed(3)}..${r.high.toFixed(3)}`,
}, [row]);
report.finish();

// What a dispatch costs where the kernel itself costs nothing: microseconds each, of dispatches that depend on one another
// and of such that do not, and of the host's work to encode and to submit them.
//
//   deno run -A bench/dispatch.ts [--count 256] [--backend auto|native|dawn] [--unsafe-gpu] [--rounds 7] [--seconds 0.2]
//     [--quick] [--json FILE]
import { compile } from "../src/engine/compile/program.ts";
import { profile, timePasses } from "../src/engine/gpu/profile.ts";
import { replay } from "../src/engine/gpu/recorder.ts";
import { materialise, resident, type Tensor } from "../src/engine/graph/tensor.ts";
import { relu } from "../src/engine/ops/elementwise.ts";
import { openForBench } from "./support/device.ts";
import { readOptions } from "./support/options.ts";
import { randomFloats } from "./support/random.ts";
import { digits, range, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";
import { timeCalls } from "./support/timing.ts";

/** One workgroup's worth. */
const FLOATS = 256;

const options = readOptions({ count: "" });
const gpu = await openForBench(options);
const count = Number(options.own.count || (options.quick ? "8" : "256"));
const report = startReport("Dispatches", options, gpu.adapter);

const input = (k: number) => resident(`in${k}`, [FLOATS], "f32");
function chain(): Record<string, Tensor> {
  let h = input(0);
  for (let k = 0; k < count; k++) h = materialise(relu(h));
  return { h };
}
const KINDS: Readonly<Record<string, () => Record<string, Tensor>>> = {
  dependent: chain,
  independent: () => Object.fromEntries(Array.from({ length: count }, (_, k) => [`out${k}`, relu(input(k))])),
};

interface Row extends Record<string, string | number> {
  kind: string;
  micros: number;
  p10: number;
  p90: number;
  device: number;
  alone: number;
  encode: number;
  submit: number;
}
const rows: Row[] = [];
const buffers = Array.from(
  { length: count },
  (_, k) => gpu.allocator.upload(`in${k}`, randomFloats(FLOATS, k + 1)),
);
for (const [kind, outputs] of Object.entries(KINDS)) {
  const program = await compile(gpu, {
    label: kind,
    outputs: outputs(),
    memory: ({ name }) => buffers[Number(name.slice(2))],
  });
  const { dispatches } = program;
  const wall = await timeCalls(gpu, () => replay(gpu, dispatches), options);
  const passes = await timePasses(gpu, Array.from({ length: 1 + options.rounds }, () => dispatches));
  const whole = spreadOf(passes.slice(1).map(({ begin, end }) => end - begin)).median;
  const { kernelSeconds, encodeSeconds, submitSeconds } = await profile(gpu, dispatches, {
    scratch: program.owned,
    ...options.quick ? { warmSeconds: 0, repeats: 1 } : {},
  });
  const each = (seconds: number) => 1e6 * seconds / dispatches.length;
  rows.push({
    kind,
    micros: each(wall.median / 1e3),
    p10: each(wall.p10 / 1e3),
    p90: each(wall.p90 / 1e3),
    device: each(whole),
    alone: each(kernelSeconds),
    encode: each(encodeSeconds),
    submit: 1e6 * submitSeconds,
  });
  program.destroy();
}
report.table(`Microseconds a dispatch, ${count} in a pass`, {
  dispatches: (row: Row) => row.kind,
  "by the wall": ({ micros }) => digits(micros),
  "p10..p90": range,
  "on the device": ({ device }) => digits(device),
  "in a pass of its own": ({ alone }) => digits(alone),
  "to encode": ({ encode }) => digits(encode),
  "a submit": ({ submit }) => digits(submit),
}, rows);
report.finish();
gpu.destroy();

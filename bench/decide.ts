// How long a decision of the graph policy takes, from the observation to its scores: milliseconds by size of the graph, on the
// CPU (one core) and on the device, encoding and reading back included; and what the device's segment kernels cost in a
// batch that the policy learns from.
//
//   deno run -A bench/decide.ts [--nodes 10,40,100,1000] [--graphs 64] [--backend auto|native|dawn] [--unsafe-gpu]
//     [--rounds 7] [--seconds 1] [--quick] [--json FILE]
import type { Observation } from "../src/contracts/control.ts";
import { compile } from "../src/engine/compile/program.ts";
import { evaluate, type Feeds } from "../src/engine/compile/reference.ts";
import { read } from "../src/engine/gpu/readback.ts";
import { replay } from "../src/engine/gpu/recorder.ts";
import { resident, type Tensor, withSharedNodes } from "../src/engine/graph/tensor.ts";
import { gradients } from "../src/engine/graph/gradients.ts";
import { initialise } from "../src/engine/nn/init.ts";
import { TraceScope } from "../src/engine/nn/scope.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { segmentMax, segmentMean, type Segments, segmentSum } from "../src/engine/ops/segment.ts";
import { createGraphPolicy } from "../src/tamiyo/policy/network.ts";
import { createActor } from "../src/tamiyo/rl/actor.ts";
import { sizeOf } from "../src/util/shape.ts";
import { openForBench } from "./support/device.ts";
import { timeGraph } from "./support/kernels.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { randomFloats } from "./support/random.ts";
import { digits, startReport } from "./support/report.ts";
import { BLUEPRINTS, sightOf } from "./support/sights.ts";

const WIDTH = 64;
/** Decisions before the clock runs: what is compiled while it is used has been. */
const WARM_UP = 50;
const LEAST = 200;

const options = readOptions({ nodes: "", graphs: "" }, { seconds: 1 });
const { quick, seconds } = options;
const gpu = await openForBench(options);
const report = startReport("Decisions", options, gpu.adapter);
const policy = createGraphPolicy(BLUEPRINTS);

interface Row extends Record<string, string | number> {
  on: string;
  nodes: number;
  actions: number;
  count: number;
  p50: number;
  p95: number;
  p99: number;
}

/** Times decisions one by one, for as long as a measurement should take. */
async function time(
  on: string,
  sight: Observation,
  decide: () => unknown,
  most = Infinity,
): Promise<Row> {
  const times: number[] = [];
  for (let k = 0; k < (quick ? 1 : Math.min(WARM_UP, most)); k++) await decide();
  const begun = performance.now();
  const least = Math.min(quick ? 3 : LEAST, most);
  while (times.length < least || (times.length < most && performance.now() - begun < 1e3 * seconds)) {
    const start = performance.now();
    await decide();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const quantile = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))];
  return {
    on,
    nodes: sight.graph.nodes.length,
    actions: sight.legal.length,
    count: times.length,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
  };
}

/** The policy compiled for one shape, with weights on the device. */
async function onDevice(sight: Observation, weights: Readonly<Record<string, Float32Array<ArrayBuffer>>>) {
  const shape = policy.shapeFor([sight]);
  const { logits, values } = withSharedNodes(() => policy.forward(new TraceScope(), shape));
  const buffers = Object.fromEntries(
    Object.entries(weights).map(([name, numbers]) => [name, gpu.allocator.upload(name, numbers)]),
  );
  const program = await compile(gpu, {
    label: "decide",
    outputs: { logits, values },
    memory: ({ name }) => buffers[name],
  });
  return {
    dispatches: program.dispatches.length,
    async decide() {
      program.step.write(policy.encode([sight], shape) as Record<string, Float32Array>);
      replay(gpu, program.dispatches);
      return await read(gpu, program.outputs.logits, 4 * sizeOf(logits.shape));
    },
    destroy() {
      program.destroy();
      Object.values(buffers).forEach((view) => gpu.allocator.free(view));
    },
  };
}

const scope = new TraceScope();
policy.forward(scope, policy.shapeFor([sightOf(10)]));
const weights = Object.fromEntries(
  scope.parameters.map(({ name, shape, init }) => [name, initialise(name, shape, init, 1)]),
);
const act = createActor(policy, weights);

const rows: Row[] = [];
for (const nodes of numbersOf(options.own.nodes || (quick ? "10,40" : "10,40,100,1000"))) {
  const sight = sightOf(nodes);
  rows.push(await time("CPU", sight, () => act([sight])));
  const shape = policy.shapeFor([sight]);
  rows.push(
    await time("CPU, encoding alone", sight, () => policy.encode([sight], shape)),
    await time("CPU, traced afresh", sight, () => {
      const { logits, values } = withSharedNodes(() => policy.forward(new TraceScope(), shape));
      return evaluate([logits, values], { ...weights, ...policy.encode([sight], shape) } as Feeds);
    }, 20),
  );
  const device = await onDevice(sight, weights);
  rows.push(await time(`${gpu.adapter.backend}, ${device.dispatches} dispatches`, sight, device.decide));
  device.destroy();
}
report.table("Milliseconds a decision", {
  on: ({ on }: Row) => on,
  nodes: ({ nodes }) => String(nodes),
  actions: ({ actions }) => String(actions),
  decisions: ({ count }) => String(count),
  p50: ({ p50 }) => digits(p50),
  p95: ({ p95 }) => digits(p95),
  p99: ({ p99 }) => digits(p99),
}, rows);

/** Edges of so many graphs side by side, as the policy's batches have them. */
function listsOf(graphs: number): { feeds: Readonly<Record<string, Uint32Array>>; segments: Segments } {
  const sights = Array.from({ length: graphs }, () => sightOf(40));
  const shape = policy.shapeFor(sights);
  const encoded = policy.encode(sights, shape);
  const names = ["offsets", "sources", "rowOffsets", "segments"] as const;
  const lists = names.map((name) => encoded[`flow/${name}`] as Uint32Array);
  const tensors = lists.map((list, k) => resident(`in${k + 1}`, [list.length], "u32"));
  const [offsets, sources, rowOffsets, segments] = tensors;
  return {
    feeds: Object.fromEntries(lists.map((list, k) => [`in${k + 1}`, list])),
    segments: { offsets, sources, rowOffsets, segments },
  };
}

interface KernelRow extends Record<string, string | number> {
  graph: string;
  ms: number;
  p10: number;
  p90: number;
  rate: number;
}

const graphs = Number(options.own.graphs || (quick ? "2" : "64"));
const { feeds, segments } = listsOf(graphs);
const count = segments.offsets.shape[0] - 1, edges = segments.sources.shape[0];
const buffers = [
  gpu.allocator.upload("rows", randomFloats(count * WIDTH, 1)),
  ...Object.entries(feeds).map(([name, list]) => gpu.allocator.upload(name, Uint32Array.from(list))),
];
const x = resident("in0", [count, WIDTH], "f32");
const OPS: Readonly<Record<string, (x: Tensor, segments: Segments) => Tensor>> = {
  "segment sum": segmentSum,
  "segment mean": segmentMean,
  "segment maximum": segmentMax,
};
const kernels: KernelRow[] = [];
for (const [name, op] of Object.entries(OPS)) {
  const forward = op(x, segments);
  const [backward] = gradients(sum(forward), [x]);
  for (const [graph, output] of [[name, forward], [`${name} and its gradient`, backward]] as const) {
    const { ms, p10, p90 } = await timeGraph(gpu, output, buffers, {
      ...options,
      seconds: Math.min(0.05, seconds),
    });
    // Rows read once an edge, and the result.
    kernels.push({ graph, ms, p10, p90, rate: 4 * WIDTH * (edges + count) / ms / 1e6 });
  }
}
report.table(`Segment kernels, ${graphs} graphs of 40 nodes`, {
  graph: ({ graph }: KernelRow) => graph,
  ms: ({ ms }) => digits(ms),
  "p10..p90": ({ p10, p90 }) => `${digits(p10)}..${digits(p90)}`,
  "GB/s": ({ rate }) => digits(rate),
}, kernels);
report.finish();
gpu.destroy();

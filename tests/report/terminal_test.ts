import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { RunResult } from "../../src/app/options.ts";
import type { AnyEnvelope, Payloads, Topic } from "../../src/contracts/events.ts";
import { createDisplay, type DisplayMode } from "../../src/report/terminal.ts";

const DIGITS = "digits (CIFAR-10 unavailable)";
const started: Payloads["run.started"] = {
  run: "cifar10-1",
  config: "cifar10",
  dataset: DIGITS,
  adapter: "llvmpipe",
  profile: "small",
  budgetFlops: 150e9,
  maxSteps: null,
  dryRun: false,
  resumedAt: 0,
};

function metrics(step: number, flops: number): Payloads["step.metrics"] {
  return { step, loss: 2.3025, accuracy: 0.1234, learningRate: 0.08, imagesPerSecond: 812.4, flops };
}

const edge: Payloads["seed.edge"] = {
  tick: 9,
  step: 900,
  slot: "block2",
  seed: "block2/1",
  blueprint: "conv3",
  from: "TRAINING",
  to: "BLENDING",
  reason: "gate",
  evidence: {
    stage: "TRAINING",
    advantage: 0.03123,
    se: 0.0081,
    batches: 8,
    params: 275,
    paramsLimit: 492,
    removalCost: null,
  },
};

const result: RunResult = {
  run: "cifar10-1",
  directory: "runs/cifar10-1",
  outcome: "interrupted",
  dataset: DIGITS,
  adapter: "llvmpipe",
  profile: "small",
  steps: 900,
  flops: 120e9,
  compilerFlops: 3e9,
  weights: null,
  seconds: 185,
  host: { params: 1774, flops: 129e3 },
  grown: { params: 4100, flops: 181e3 },
  before: { step: 400, split: "validation", loss: 1.5, accuracy: 0.45 },
  after: { step: 900, split: "validation", loss: 1.25, accuracy: 0.5312 },
  test: { step: 900, split: "test", loss: 1.27, accuracy: 0.528 },
  testViews: { step: 900, split: "test", views: 6, loss: 1.21, accuracy: 0.541 },
  trainSeconds: 170.25,
  seeds: [{
    seed: "block2/1",
    slot: "block2",
    blueprint: "conv3",
    born: 4,
    tick: 9,
    stage: "FOSSILIZED",
    reason: "action",
    params: 592,
    advantage: 0.0312,
  }],
  notices: ["CIFAR-10 is unavailable; training on digits"],
  dryRun: null,
};

/** A display that writes to a string, fed with events a given number of seconds after the start. */
function harness(mode: DisplayMode, columns = 200) {
  let text = "";
  const display = createDisplay(mode, { write: (part) => text += part, columns: () => columns });
  let id = 0;
  return {
    display,
    text: () => text,
    send<T extends Topic>(seconds: number, topic: T, payload: Payloads[T]) {
      display.event({ id: id++, time: seconds * 1000, topic, payload } as unknown as AnyEnvelope);
    },
  };
}

Deno.test("createDisplay() plain prints the start, then a line every 5 seconds with all that matters", () => {
  const { send, text } = harness("plain");
  send(0, "run.started", started);
  for (let second = 0; second <= 10; second++) {
    send(second, "step.metrics", metrics(second * 10, second * 3e9));
  }
  assertEquals(text().split("\n"), [
    `training: ${DIGITS} · profile small · llvmpipe · budget 150 GFLOP · run cifar10-1`,
    `${DIGITS} · step 0 (0.0%) · loss 2.303 · accuracy 12.3% · 812 images/s`,
    `${DIGITS} · step 50 (10.0%) · loss 2.303 · accuracy 12.3% · 812 images/s · ETA 45s`,
    `${DIGITS} · step 100 (20.0%) · loss 2.303 · accuracy 12.3% · 812 images/s · ETA 40s`,
    "",
  ]);
});

Deno.test("createDisplay() plain ends the estimate at maxSteps where that comes first", () => {
  const { send, text } = harness("plain");
  send(0, "run.started", { ...started, maxSteps: 100, resumedAt: 40 });
  send(0, "step.metrics", metrics(40, 0));
  send(6, "step.metrics", metrics(70, 1e9));
  assertStringIncludes(text(), "resuming at step 40: ");
  assertStringIncludes(text(), "step 70 (70.0%)");
  assertStringIncludes(text(), "ETA 6s");
});

Deno.test("createDisplay() prints lifecycle events, vetoes, rollbacks and notices as they happen", () => {
  const { send, text } = harness("plain");
  send(0, "seed.edge", edge);
  send(0, "action.vetoed", {
    tick: 3,
    step: 300,
    action: { kind: "germinate", slot: "block1", blueprint: "se" },
    reason: "live_limit",
    evidence: { live: 2, liveLimit: 2 },
  });
  send(0, "governor.rollback", {
    tick: 5,
    step: 510,
    reason: "loss is NaN",
    restoredStep: 500,
    slots: ["block1"],
    rollbacks: 1,
  });
  send(0, "notice", { level: "warning", text: "digits instead of CIFAR-10" });
  send(0, "tick.report", {
    tick: 4,
    step: 400,
    progress: 0.3,
    trainLoss: 1,
    controlLoss: 1,
    slots: [],
    decision: { action: { kind: "advance", slot: "block1" }, why: "the gate holds", warnings: ["late"] },
  });
  assertEquals(text().trimEnd().split("\n"), [
    "tick 9, step 900: block2/1 conv3 TRAINING → BLENDING (gate): " +
    "advantage 0.0312 ± 0.0081, batches 8, params 275 of 492, removal cost not measured",
    "tick 3, step 300: refused to germinate se in block1: live limit (live 2 of 2)",
    "tick 5, step 510: rolled back to step 500: loss is NaN; embargo on block1 (rollback 1)",
    "warning: digits instead of CIFAR-10",
    "tick 4, step 400: advance block1: the gate holds",
    "tick 4, step 400: warning: late",
  ]);
});

Deno.test("createDisplay() line redraws in place, with slots, and never wraps", () => {
  const wide = harness("line");
  wide.send(0, "run.started", started);
  wide.send(1, "step.metrics", metrics(900, 75e9));
  wide.send(1.01, "step.metrics", metrics(910, 76e9));
  wide.send(2, "seed.edge", edge);
  const [first, second] = wide.text().split("\n");
  assertMatch(first, /^training: /);
  assertStringIncludes(second, `${DIGITS} · compiling\r\x1b[2K${DIGITS} · step 900 (50.0%)`);
  assert(!second.includes("step 910"), "two readings within 100 ms are one redraw");
  assertStringIncludes(wide.text(), "block2 conv3 blending α 0.00");
  wide.display.finish(result);
  assert(wide.text().includes("step 910 (50.7%)"), "the last reading is shown at the end");

  const narrow = harness("line", 40);
  narrow.send(0, "run.started", started);
  narrow.send(1, "step.metrics", metrics(900, 75e9));
  const drawn = narrow.text().split("\x1b[2K").at(-1) ?? "";
  assertEquals([[...drawn].length, drawn.endsWith("…")], [39, true]);
});

Deno.test("createDisplay() json prints every event and the result as a line of JSON", () => {
  const { send, display, text } = harness("json");
  send(0, "run.started", started);
  send(1, "seed.edge", edge);
  display.finish(result);
  const lines = text().trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ topic }) => topic), ["run.started", "seed.edge", "result"]);
  assertEquals([lines[1].payload, lines[2].payload], [edge, result]);
});

Deno.test("createDisplay() json tells a loss that is not a number from one not measured", () => {
  const { send, text } = harness("json");
  send(1, "step.metrics", { ...metrics(1, 1), loss: NaN });
  assertEquals(JSON.parse(text()).payload.loss, "NaN");
});

Deno.test("createDisplay() quiet prints warnings and the final table only", () => {
  const { send, display, text } = harness("quiet");
  send(0, "run.started", started);
  send(1, "step.metrics", metrics(1, 1));
  send(1, "seed.edge", edge);
  send(1, "notice", { level: "info", text: "the run is about to end" });
  send(1, "notice", { level: "warning", text: "small profile" });
  assertEquals(text(), "warning: small profile\n");
  display.finish(result);
  assertEquals(text().split("\n").slice(1), [
    "",
    `${DIGITS} · profile small · llvmpipe`,
    "interrupted after 900 steps, 120 GFLOP and 3.00 GFLOP to try kernels, 3m05s, 170.3 s of it training",
    "note: CIFAR-10 is unavailable; training on digits",
    "",
    "network         parameters    forward  split       step    loss  accuracy",
    "--------------  ----------  ---------  ----------  ----  ------  --------",
    "host                  1774  129 kFLOP  validation   400  1.5000     45.0%",
    "grown                 4100  181 kFLOP  validation   900  1.2500     53.1%",
    "grown                 4100  181 kFLOP  test         900  1.2700     52.8%",
    "grown, 6 views        4100  181 kFLOP  test         900  1.2100     54.1%",
    "",
    "seed      blueprint  fate        reason  born at tick  last tick  parameters  advantage",
    "--------  ---------  ----------  ------  ------------  ---------  ----------  ---------",
    "block2/1  conv3      fossilized  action             4          9         592     0.0312",
    "",
    "run folder: runs/cifar10-1",
    "go on with: deno run -A main.ts --resume runs/cifar10-1",
    "",
  ]);
});

Deno.test("createDisplay() shows a dry run's layers, memory and step", () => {
  const { display, text } = harness("plain");
  const layers = [
    { name: "conv1", shape: [16, 16, 4], params: 108, flops: 55296 },
    { name: "head", shape: [10], params: 170, flops: 320 },
  ];
  const dryRun = { layers, memoryBytes: 1.5 * 2 ** 20, stepMs: 42.4, loss: 2.3026 };
  display.finish({ ...result, outcome: "completed", directory: null, dryRun });
  assertEquals(text().split("\n").slice(4), [
    "layer  output       parameters     forward",
    "-----  -----------  ----------  ----------",
    "conv1  [16, 16, 4]         108  55.3 kFLOP",
    "head   [10]                170    320 FLOP",
    "total                      278  55.6 kFLOP",
    "",
    "GPU memory 1.50 MiB; one step took 42 ms, loss 2.3026; nothing was written",
    "",
  ]);
});

Deno.test("a display in place redraws the bar of a download and ends its line when it is whole", () => {
  let text = "";
  const display = createDisplay("line", { write: (more) => void (text += more), columns: () => 120 });
  const address = "https://example.org/data/cifar-10-binary.tar.gz";
  display.download({ address, done: 2 ** 20, total: 2 ** 22 });
  display.download({ address, done: 2 ** 22, total: 2 ** 22 });
  const name = "downloading cifar-10-binary.tar.gz";
  assertEquals(text.split("\r\x1b[2K"), [
    "",
    `${name} [${"#".repeat(6)}${"-".repeat(18)}] 25.0% 1.00 MiB of 4.00 MiB`,
    `${name} [${"#".repeat(24)}] 100.0% 4.00 MiB of 4.00 MiB\n`,
  ]);
});

Deno.test("a piped display prints a line every few seconds of a download, and no bar where the size is unknown", () => {
  let text = "";
  const display = createDisplay("plain", { write: (more) => void (text += more), columns: () => 120 });
  for (const done of [2 ** 20, 2 ** 21]) display.download({ address: "a/b.tar.gz", done, total: null });
  assertEquals(text, "downloading b.tar.gz 1.00 MiB\n");
});

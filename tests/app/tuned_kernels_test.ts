import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { findTuned, readTuned, tunedPath, writeTuned } from "../../src/app/adapters/tuned_file.ts";
import { contestsOf } from "../../src/app/contests.ts";
import { buildNetwork } from "../../src/app/network.ts";
import type { RunOptions } from "../../src/app/options.ts";
import { runTraining } from "../../src/app/run.ts";
import { tuneKernels } from "../../src/app/tune.ts";
import { adapterSlug, mergeTuned, runChoices, usedKernels } from "../../src/app/tuned_kernels.ts";
import type { AdapterDescription } from "../../src/engine/gpu/device.ts";
import { tuneLines } from "../../src/report/tune_lines.ts";
import { UserError } from "../../src/util/errors.ts";
import { openOwn } from "../support/devices.ts";
import { tinyConfig } from "../support/session.ts";

const ADAPTER: AdapterDescription = {
  ...{ backend: "dawn", vendor: "nvidia", architecture: "hopper", device: "0x2335" },
  ...{ description: "NVIDIA H200 (driver: 580)", software: false, features: [] },
};
const RESULT = {
  key: "matmul a b",
  times: [{ id: "tiled", seconds: 2e-6 }, { id: "plain", seconds: 1.23456e-6 }],
  winner: "plain",
};

async function inFolder(work: (root: string) => Promise<void> | void): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function train(root: string, options: Partial<RunOptions> = {}, maxSteps = 4) {
  const result = await runTraining({
    config: { file: tinyConfig("points", { train: { maxSteps } }), sets: [], flags: {} },
    ...{ profile: "auto", backend: "native", out: `${root}/runs`, resume: null, dryRun: false },
    signal: new AbortController().signal,
    onEvent: () => {},
    ...options,
  });
  const read = async (name: string) => JSON.parse(await Deno.readTextFile(`${result.directory}/${name}`));
  return { result, read };
}

Deno.test("adapterSlug() is a file's name", () => {
  assertEquals(adapterSlug(ADAPTER), "dawn-nvidia-h200-driver-580");
  assertEquals(adapterSlug({ ...ADAPTER, description: "", device: "" }), "dawn-nvidia");
  assert(tunedPath(ADAPTER).endsWith("/configs/tuned/dawn-nvidia-h200-driver-580.json"));
});

Deno.test("mergeTuned() keeps what was timed earlier, and newer times win", () => {
  const first = mergeTuned(null, ADAPTER, [RESULT]);
  assertEquals(first.kernels, {
    "matmul a b": { variant: "plain", microseconds: { tiled: 2, plain: 1.235 } },
  });
  const both = mergeTuned(first, ADAPTER, [{ ...RESULT, key: "a sum" }, { ...RESULT, winner: "tiled" }]);
  assertEquals(Object.keys(both.kernels), ["a sum", "matmul a b"]);
  assertEquals(both.kernels["matmul a b"].variant, "tiled");
});

Deno.test("a tuned file comes back as it was written", async () => {
  await inFolder((root) => {
    const path = `${root}/tuned/one.json`;
    assertEquals(readTuned(path), null);
    const tuned = mergeTuned(null, ADAPTER, [RESULT]);
    writeTuned(path, tuned);
    assertEquals(readTuned(path), tuned);
    assertEquals(findTuned(path, ADAPTER), { path, file: tuned });
    assertEquals([...Deno.readDirSync(`${root}/tuned`)].map(({ name }) => name), ["one.json"]);
  });
});

Deno.test("findTuned() takes none where asked to, and refuses a file that is not there", () => {
  assertEquals(findTuned("none", ADAPTER), null);
  assertEquals(findTuned(undefined, { ...ADAPTER, description: "no such adapter" }), null);
  assertThrows(
    () => findTuned("/nowhere.json", ADAPTER),
    UserError,
    '--tuned: want a file that tune-kernels wrote, or none, got "/nowhere.json"',
  );
});

for (
  const [what, text, message] of [
    ["no JSON", "{ nope", "want JSON, got: "],
    ["of another version", '{ "version": 2 }', "want version 1, got 2; delete "],
    ["without a version", "[]", "want version 1, got undefined; delete "],
    ["of another form", '{ "version": 1, "kernels": {} }', "adapter: Invalid input"],
  ]
) {
  Deno.test(`a tuned file that is ${what} is refused with the cure`, async () => {
    await inFolder((root) => {
      const path = `${root}/tuned.json`;
      Deno.writeTextFileSync(path, text);
      const error = assertThrows(() => readTuned(path), UserError, `${path}: ${message}`);
      assertStringIncludes(error.message, "tune again");
    });
  });
}

Deno.test("runChoices() goes by what the run used before its tuned file", () => {
  const tuned = { path: "tuned.json", file: mergeTuned(null, ADAPTER, [RESULT]) };
  const used = { version: 1 as const, kernels: { "matmul a b": "tiled", "a sum": "serial" } };
  assertEquals(usedKernels(runChoices(used, tuned)), used);
  assertEquals(usedKernels(runChoices(null, tuned)).kernels, {});
  assertThrows(
    () => runChoices({ version: 9 }, null),
    UserError,
    "kernels.json: want the choices of a run; go on with the Esper that the run was made by",
  );
});

Deno.test("tuneLines() shows what was chosen and what it saves", () => {
  const kept = { key: "a sum", times: [{ id: "serial", seconds: 3e-6 }, { id: "group", seconds: 4e-6 }] };
  const lines = tuneLines({
    adapter: "H200 (dawn)",
    path: "t.json",
    results: [RESULT, { ...kept, winner: "serial" }],
  });
  assertEquals(lines, [
    "operation   chosen  time µs  default, µs  others, µs",
    "----------  ------  -------  -----------  ----------",
    "matmul a b  plain      1.23  tiled 2",
    "a sum       serial        3  chosen       group 4",
    "",
    "H200 (dawn): 1 of 2 operations have a faster kernel than the default; each once, they take 4.23 µs instead of 5",
    "written to t.json; runs on this adapter use it",
  ]);
});

Deno.test("tuneKernels() writes a file that a run uses, records, and goes on with after its file is gone", async () => {
  await inFolder(async (root) => {
    const file = `${root}/tuned.json`;
    const keys: string[] = [];
    const { results, path } = await tuneKernels({
      config: { file: tinyConfig("points", { growth: { blueprints: ["affine"] } }), sets: [], flags: {} },
      ...{ profile: "auto", backend: "native", file },
      onContest: (done, total, key) => void keys.push(`${done + 1}/${total} ${key}`),
    });
    assertEquals(path, file);
    assertEquals(keys, results.map(({ key }, k) => `${k + 1}/${results.length} ${key}`));
    const kernels = readTuned(file)!.kernels;
    assertEquals(Object.keys(kernels), results.map(({ key }) => key).sort());

    // Whatever won, this run is to take the last.
    const contests = results.filter(({ key }) => key.startsWith("matmul"));
    for (const { key, times } of contests) kernels[key].variant = times.at(-1)!.id;
    writeTuned(file, { ...readTuned(file)!, kernels });
    const { result, read } = await train(root, { tuned: file });
    const used = (await read("kernels.json")).kernels;
    const wanted = Object.entries(used).filter(([key]) => key in kernels && key.startsWith("matmul"));
    assert(wanted.length > 0);
    for (const [key, variant] of wanted) assertEquals(variant, kernels[key].variant, key);
    assertEquals((await read("run.json")).tuned, file);
    await Deno.remove(file);

    const resumed = await train(root, { resume: result.directory, tuned: "none" }, 8);
    assertEquals([resumed.result.steps, (await resumed.read("kernels.json")).kernels], [8, used]);
    assertEquals((await train(root, { tuned: "none" })).result.outcome, "completed");
  });
});

Deno.test("contestsOf() has the convolutions of a run under the run's own keys, in each precision", async () => {
  const gpu = await openOwn("native");
  for (const precision of ["fp32", "mixed"] as const) {
    if (precision === "mixed" && !gpu.traits.features.has("shader-f16")) continue;
    const config = tinyConfig("images", { engine: { precision }, train: { maxSteps: 4 } });
    await inFolder(async (root) => {
      const { read } = await train(root, { config: { file: config, sets: [], flags: {} } });
      const used = Object.keys((await read("kernels.json")).kernels);
      const steps = used.filter((key) => /^conv2d\w* f\d+\[8,/.test(key));
      const input = [28, 28, 1], network = buildNetwork(config, input, 10);
      const contests = contestsOf(network, config, input, gpu.traits);
      assert(steps.length >= 5, used.join("\n"));
      assertEquals(steps.filter((key) => !contests.has(key)), []);
    });
  }
  gpu.destroy();
});

Deno.test("contestsOf() has gradients of weights and biases together where a GPU computes them so", () => {
  const config = tinyConfig("points");
  const input = [2], network = buildNetwork(config, input, 2);
  const traits = { features: new Set<string>(), maxWorkgroupBytes: 49_152, maxBufferBytes: 2 ** 31 };
  const joined = (software: boolean) =>
    [...contestsOf(network, config, input, { ...traits, software }).keys()]
      .filter((key) => key.startsWith("matmulParameterGradients"));
  assertEquals(joined(true), []);
  assert(joined(false).includes("matmulParameterGradients f32[16, 8] f32[16, 8] -> f32[9, 8] biasRow=8"));
});

Deno.test("runTraining() refuses a tuned file that names a kernel that there is not", async () => {
  await inFolder(async (root) => {
    const { read } = await train(root, { tuned: "none" });
    const key = Object.keys((await read("kernels.json")).kernels).find((one) => one.startsWith("matmul"))!;
    const file = `${root}/tuned.json`;
    writeTuned(file, mergeTuned(null, ADAPTER, [{ ...RESULT, key, winner: "marvellous" }]));
    const error = await assertRejects(
      () => train(root, { tuned: file }),
      UserError,
      `${file}: ${key}: want one of `,
    );
    assertStringIncludes(error.message, 'got "marvellous"; tune again (main.ts tune-kernels)');
  });
});

Deno.test("runTraining() with kernels profiled leaves profile and trace; with unsafeGpu it says what that does", async () => {
  await inFolder(async (root) => {
    const { result, read } = await train(root, { profileKernels: true, unsafeGpu: true });
    assertEquals(result.kernels!.profiles.map(({ step }) => step), [4]);
    assertEquals((await read("profile.json")).version, 1);
    assert((await read("trace.json")).traceEvents.length > 5);
    assertEquals((await read("run.json")).unsafeGpu, false);
    const notice = "--unsafe-gpu has no effect on native, which has no such switch: bounds checks stay on";
    assert(result.notices.includes(notice), result.notices.join());
    const plain = await train(root);
    assertEquals(plain.result.kernels, undefined);
    assertEquals(plain.result.after, result.after);
  });
});

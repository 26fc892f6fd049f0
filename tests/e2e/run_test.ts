import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openShared, SWIFTSHADER } from "../support/devices.ts";
import { runEsper } from "../support/subprocess.ts";
import { ENVIRONMENT, follow, jsonLines, loggedEdges, newRun, noCifar10, withConfig } from "./program.ts";

const GROWING = {
  loop: { checkpointTicks: 2, keepCheckpoints: 2 },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 8, action: "fossilize", slot: "layer2" },
    ],
  },
};

Deno.test("a run leaves a folder that a person can read, and JSON lines that a program can", async () => {
  await withConfig("points", GROWING, async (root) => {
    const { code, lines, stderr } = await follow(newRun(root, "--seed", "5", "--profile", "small"));
    assertEquals([code, stderr], [0, ""]);
    const run = `${root}/runs/points-1`;
    assertEquals([...Deno.readDirSync(run)].map(({ name }) => name).sort(), [
      ...["config.json", "events.jsonl", "kernels.json", "metrics.jsonl", "run.json", "store"],
    ]);

    const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
    assertEquals([config.seed, config.train.maxSteps, config.governor.window], [5, 60, 20]);

    const record = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
    assertEquals([record.run, record.profile, record.dataset.name], ["points-1", "small", "spirals"]);
    assertMatch(record.dataset.sha256, /^[0-9a-f]{64}$/);
    assert(record.adapter.description !== "" && typeof record.adapter.software === "boolean");
    assertEquals([record.versions.deno, record.versions.esper], [Deno.version.deno, "0.1.0"]);
    assertEquals([record.notices, record.unsafeGpu, record.tuned], [[], false, null]);

    const edges = await loggedEdges(run);
    assertEquals(edges.map(({ to }) => to), ["GERMINATED", "TRAINING", "BLENDING", "HOLDING", "FOSSILIZED"]);
    for (const edge of edges) {
      assert(Number.isInteger(edge.tick) && Number.isInteger(edge.step) && edge.reason !== "");
      assert(Object.keys(edge.evidence).length > 0);
    }
    const metrics = await jsonLines(`${run}/metrics.jsonl`);
    assertEquals(metrics.filter(({ topic }) => topic === "tick.report").length, 15);
    const losses = metrics.filter(({ topic }) => topic === "step.metrics").map(({ loss }) => loss);
    assert(losses.length >= 15 && losses.every(Number.isFinite));
    assertEquals([...Deno.readDirSync(`${run}/store/manifests/checkpoint`)].map(({ name }) => name).sort(), [
      ...["best.json", "step-000000056.json", "step-000000060.json"],
    ]);

    const topics = new Set(lines.map(({ topic }) => topic));
    for (const topic of ["run.started", "step.metrics", "tick.report", "seed.edge"]) {
      assert(topics.has(topic));
    }
    const { payload: result } = lines.at(-1)!;
    assertEquals([lines.at(-1)!.topic, result.outcome, result.steps], ["result", "completed", 60]);
    assertEquals([result.before.split, result.after.split, result.test.split], [
      "validation",
      "validation",
      "test",
    ]);
    assert(result.grown.params > result.host.params && result.flops > 0);
    assertEquals(result.seeds.map(({ seed, stage }: Record<string, string>) => [seed, stage]), [
      ["layer2/1", "FOSSILIZED"],
    ]);
    assertEquals(result.directory, run);
  });
});

Deno.test("a substitute for the data is named on every surface", async () => {
  const small = {
    data: {
      ...{ kind: "cifar10", dir: "/nowhere", whenUnavailable: "digits", pixels: 8 },
      ...{ trainLimit: 64, split: { control: 32, validation: 32 } },
    },
    train: { maxSteps: 4 },
    host: { channels: [4] },
  };
  await withConfig("images", small, async (root) => {
    const { code, stdout, stderr } = await runEsper(
      newRun(root, "--profile", "small"),
      await noCifar10(root),
    );
    assertEquals([code, stderr], [0, ""]);
    const [first] = stdout.split("\n");
    assertStringIncludes(first, "training: digits (instead of cifar10) · profile small");
    const notice = "training on 10000 handwritten digits instead of cifar10, which is unavailable";
    assertEquals(stdout.split(notice).length - 1, 2, stdout);
    assertStringIncludes(stdout, "no seed was germinated");
    assertMatch(stdout, /\ndigits \(instead of cifar10\) · step 4 /);
    const { dataset } = JSON.parse(await Deno.readTextFile(`${root}/runs/images-1/run.json`));
    assertStringIncludes(dataset.name, "digits (instead of cifar10)");
    assertStringIncludes(dataset.notice, notice);
  });
});

Deno.test("--dry-run shows shapes, parameters, FLOPs and memory, and writes nothing", async () => {
  await withConfig("images", { host: { channels: [4] } }, async (root) => {
    const { code, stdout, stderr } = await runEsper(
      newRun(root, "--dry-run", "--set", "data.pixels=7"),
      ENVIRONMENT,
    );
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /\nlayer +output +parameters +forward\n/);
    assertMatch(stdout, /\nblock1 +\[3, 3, 4\] +44 +[\d.]+ kFLOP\n/);
    assertMatch(stdout, /\nhead +\[10\] +50 +[\d.]+ FLOP\n/);
    assertMatch(stdout, /\ntotal +94 +[\d.]+ kFLOP\n/);
    assertMatch(
      stdout,
      /\nGPU memory [\d.]+ [KM]iB; one step took \d+ ms, loss \d\.\d{4}; nothing was written\n$/,
    );
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), ["config.json"]);
  });
});

Deno.test("--quiet prints notices and the final table only, and a second run has a folder of its own", async () => {
  await withConfig("points", { train: { maxSteps: 4 } }, async (root) => {
    for (const n of [1, 2]) {
      const { code, stdout, stderr } = await runEsper(
        newRun(root, "--quiet", "--max-steps", "3"),
        ENVIRONMENT,
      );
      assertEquals([code, stderr], [0, ""]);
      const run = `${root}/runs/points-${n}`;
      const { adapter, profile } = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
      const warned = stdout.startsWith("warning: no GPU found, only ");
      assertEquals([warned, profile], [adapter.software, adapter.software ? "small" : "full"]);
      assertMatch(stdout, /^(warning: .*\n)?\nspirals · profile \w+ · .*\ncompleted after 3 steps, /);
      assertStringIncludes(stdout, `\nrun folder: ${run}\n`);
    }
  });
});

Deno.test("--profile-kernels prints where the time goes and leaves a trace; the numbers stay", async () => {
  await withConfig("images", { train: { maxSteps: 12 } }, async (root) => {
    const profiled = await runEsper(newRun(root, "--profile-kernels", "--profile", "small"), ENVIRONMENT);
    assertEquals([profiled.code, profiled.stderr], [0, ""]);
    assertStringIncludes(profiled.stdout, "\nkernels of a training step, after step 5: host\n");
    assertMatch(profiled.stdout, /\nkernel +count +time µs +share +GFLOP\/s +GB\/s +of peak\n/);
    assertMatch(profiled.stdout, /\nconv2d\/\S+ +\d+ +[\d.]+ +[\d.]+% +[\d.e-]+ +[\d.e-]+ +[\d.]+%\n/);
    assertMatch(
      profiled.stdout,
      /\n\d+ dispatches take [\d.]+ µs one by one, a whole step [\d.]+ µs; the host /,
    );
    assertMatch(
      profiled.stdout,
      /\npeak of this adapter, as measured: [\d.]+ GFLOP\/s, [\d.]+ GB\/s; most GPU memory held at one time: [\d.]+ MiB\n/,
    );
    const run = `${root}/runs/images-1`;
    const { traceEvents } = JSON.parse(await Deno.readTextFile(`${run}/trace.json`));
    const { peak, profiles: [profile, ...more] } = JSON.parse(await Deno.readTextFile(`${run}/profile.json`));
    assert(peak.flops > 0 && peak.bytes > 0 && more.length === 0);
    assertEquals(traceEvents.length, 5 + profile.dispatches.length);

    const plain = await runEsper(newRun(root, "--profile", "small"), ENVIRONMENT);
    const results = (text: string) => text.match(/^(host|grown) .*/gm);
    assertEquals(results(plain.stdout), results(profiled.stdout));
    const losses = async (run: string) =>
      (await jsonLines(`${root}/runs/${run}/metrics.jsonl`)).map(({ step, loss }) => [step, loss]);
    assertEquals(await losses("images-2"), await losses("images-1"));
  });
});

Deno.test("tune-kernels writes a file that --tuned takes", async () => {
  await withConfig("points", { growth: { blueprints: ["affine"] }, train: { maxSteps: 4 } }, async (root) => {
    const file = `${root}/tuned.json`;
    const tuning = ["tune-kernels", "--config", `${root}/config.json`, "--file", file];
    const { code, stdout, stderr } = await runEsper(tuning, ENVIRONMENT);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^operation +chosen +time µs +default, µs +others, µs\n/);
    assertMatch(stdout, /\nmatmul f32\[16, 8\] f32\[8, 8\] /);
    assertStringIncludes(stdout, `\nwritten to ${file}; runs on this adapter use it\n`);
    const { code: trained } = await runEsper(newRun(root, "--quiet", "--tuned", file), ENVIRONMENT);
    const { tuned } = JSON.parse(await Deno.readTextFile(`${root}/runs/points-1/run.json`));
    assertEquals([trained, tuned], [0, file]);
  });
});

Deno.test("--backend dawn trains on Dawn", async () => {
  if (!await openShared("dawn")) return;
  await withConfig("points", {}, async (root) => {
    const onDawn = async (...more: string[]) =>
      await runEsper([...newRun(root, "--dry-run", "--backend", "dawn"), ...more], {
        ...ENVIRONMENT,
        VK_DRIVER_FILES: SWIFTSHADER,
      });
    const { code, stdout } = await onDawn();
    assertEquals(code, 0);
    assertMatch(stdout, /^dry run: spirals · .*SwiftShader.*\(dawn\)/);
    const unsafe = await onDawn("--unsafe-gpu");
    assertEquals(unsafe.code, 0);
    assertStringIncludes(unsafe.stdout, "warning: --unsafe-gpu: kernels run without bounds checks; ");
  });
});

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
      ...["config.json", "events.jsonl", "metrics.jsonl", "run.json", "store"],
    ]);

    const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
    assertEquals([config.seed, config.train.maxSteps, config.governor.window], [5, 60, 20]);

    const record = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
    assertEquals([record.run, record.profile, record.dataset.name], ["points-1", "small", "spirals"]);
    assertMatch(record.dataset.sha256, /^[0-9a-f]{64}$/);
    assert(record.adapter.description !== "" && typeof record.adapter.software === "boolean");
    assertEquals([record.versions.deno, record.versions.esper], [Deno.version.deno, "0.1.0"]);
    assertEquals(record.notices, []);

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
      ...["step-000000056.json", "step-000000060.json"],
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

Deno.test("--backend dawn trains on Dawn", async () => {
  if (!await openShared("dawn")) return;
  await withConfig("points", {}, async (root) => {
    const { code, stdout } = await runEsper(newRun(root, "--dry-run", "--backend", "dawn"), {
      ...ENVIRONMENT,
      VK_DRIVER_FILES: SWIFTSHADER,
    });
    assertEquals(code, 0);
    assertMatch(stdout, /^dry run: spirals · .*SwiftShader.*\(dawn\)/);
  });
});

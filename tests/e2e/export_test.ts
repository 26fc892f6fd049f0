/** The network that comes out, and what can be done with it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readNetwork } from "../../src/app/export_file.ts";
import { readSafetensors } from "../../src/engine/io/safetensors.ts";
import { runEsper } from "../support/subprocess.ts";
import { ENVIRONMENT, follow, newRun, withConfig } from "./program.ts";

const GROWING = {
  train: { maxSteps: 100 },
  // Seeds that train within the network always help a network as small as this.
  growth: { incubation: "none" },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 8, action: "fossilize", slot: "layer2" },
    ],
  },
};

const fossilsIn = async (path: string) =>
  readNetwork(await Deno.readFile(path), path).description.fossils.map(({ slot, blueprint }) =>
    `${slot} ${blueprint.name}`
  );

Deno.test("a network is exported, trained and grown on, exported again; its run needs no file but its own", async () => {
  await withConfig("points", GROWING, async (root) => {
    const first = `${root}/runs/points-1`,
      second = `${root}/runs/points-2`,
      file = `${root}/first.safetensors`;
    await follow(newRun(root, "--seed", "5"));
    const written = await runEsper(["export", first, "--out", file], ENVIRONMENT);
    assertEquals([written.code, written.stderr], [0, ""]);
    assertMatch(
      written.stdout,
      /^mlp 8-8 with mlp in layer2: 419 parameters, 1 fossil, from points-1 at step 100, trained on spirals\n/,
    );
    assertEquals(await fossilsIn(file), ["layer2 mlp"]);

    const onnx = await runEsper(["export", first, "--format", "onnx"], ENVIRONMENT);
    assertEquals([onnx.code, onnx.stderr], [0, ""]);
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${first}/model.onnx`));
    assert(text.includes("Gemm") && text.includes("logits"));

    const from = ["--set", "host.kind=file", "--set", `host.path=${file}`];
    const begun = await follow(newRun(root, ...from, "--seed", "5", "--max-steps", "80"));
    assertEquals([begun.code, begun.stderr], [0, ""]);
    // It goes on from the numbers in the file: an untrained network of three classes has a loss of 1.1.
    await Deno.remove(file);
    const { code, stderr, lines } = await follow(["--resume", second, "--max-steps", "100"]);
    assertEquals([code, stderr, lines.at(-1)!.payload.steps], [0, "", 100]);
    const again = await runEsper(["export", second], ENVIRONMENT);
    assertEquals([again.code, again.stderr], [0, ""]);
    const path = `${second}/model.safetensors`;
    assertEquals(await fossilsIn(path), ["layer2 mlp", "layer2 mlp"]);
    const names = Object.keys(readSafetensors(await Deno.readFile(path), path).tensors);
    for (const k of [1, 2]) assert(names.includes(`fossil/layer2/${k}/up/weight`));
    const replayed = await runEsper(["replay", second], ENVIRONMENT);
    assertEquals([replayed.code, replayed.stderr], [0, ""]);
  });
});

Deno.test("a network starts from the numbers of its file", async () => {
  await withConfig("points", { ...GROWING, controller: { kind: "off" } }, async (root) => {
    const file = `${root}/runs/points-1/model.safetensors`;
    await follow(newRun(root));
    await runEsper(["export", `${root}/runs/points-1`], ENVIRONMENT);
    const rate = ["--set", "train.learningRate.peak=1e-30", "--set", "train.optimizer.weightDecay=0"];
    await follow(
      newRun(root, "--set", "host.kind=file", "--set", `host.path=${file}`, "--max-steps", "4", ...rate),
    );
    await runEsper(["export", `${root}/runs/points-2`], ENVIRONMENT);
    const tensors = async (path: string) => readSafetensors(await Deno.readFile(path), path).tensors;
    assertEquals(await tensors(`${root}/runs/points-2/model.safetensors`), await tensors(file));
  });
});

const refused: [string, string[], RegExp][] = [
  [
    "a run that is not there",
    ["export", "nowhere"],
    /esper: export: want a run folder \(with config\.json\), got "nowhere"/,
  ],
  ["no run", ["export"], /esper: export: want a run, by its folder/],
  ["a host that is no file", [
    "--config",
    "spirals",
    "--set",
    "host.kind=file",
    "--set",
    "host.path=/nowhere",
    "--dry-run",
  ], /esper: .*\/nowhere, got no such f/],
  ["a host that is no network", [
    "--config",
    "spirals",
    "--set",
    "host.kind=file",
    "--set",
    "host.path=deno.json",
    "--dry-run",
  ], /esper: deno\.json: want a header/],
];
for (const [what, args, line] of refused) {
  Deno.test(`${what}: one line`, async () => {
    const { code, stderr } = await runEsper(args, ENVIRONMENT);
    assert(code === 1 || code === 2);
    assertMatch(stderr, line);
    assertEquals(stderr.trim().split("\n").length, 1);
  });
}

/** Bad input: one line of cause and cure, an exit code, and nothing lost. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sha256 } from "../../src/util/hash.ts";
import { smallDisk } from "../support/small_disk.ts";
import { runEsper } from "../support/subprocess.ts";
import { writeFiles } from "../support/tiny_cifar10.ts";
import { tinyFashionMnist } from "../support/tiny_fashion_mnist.ts";
import { ENVIRONMENT, follow, newestCheckpoint, newRun, noCifar10, withConfig } from "./program.ts";

/** Every file under a folder with the hash of its content. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) Object.assign(found, await contents(path));
    else found[path] = await sha256(await Deno.readFile(path));
  }
  return found;
}

/** Runs the program, which must fail with this code and one line, and change no file under `root`. */
async function assertRefused(
  root: string,
  args: readonly string[],
  code: number,
  line: RegExp,
  env: Readonly<Record<string, string>> = ENVIRONMENT,
): Promise<void> {
  const before = await contents(root);
  const ended = await runEsper(args, env);
  assertMatch(ended.stderr, /^esper: [^\n]+\n$/);
  assertMatch(ended.stderr, line);
  assertEquals(ended.code, code);
  assertEquals(await contents(root), before);
}

const invalid: [string, unknown, number, RegExp][] = [
  [
    "more blocks than the images have pixels for",
    { data: { pixels: 7 }, host: { channels: [4, 4, 4] } },
    2,
    /cnn: want images of at least 8 pixels for 3 blocks, got 7; use fewer entries in host\.channels\n/,
  ],
  [
    "pixels that do not divide the image",
    { data: { pixels: 8 } },
    1,
    /pixels: want a side that divides the \[28, 28\] images of digits/,
  ],
  [
    "a batch beyond the device's memory",
    { train: { batch: 4096 }, host: { channels: [512] } },
    1,
    /buffer "[^"]+": want \d+ bytes, the device allows \d+; use a smaller batch, model or data set\n/,
  ],
  [
    "a split that leaves nothing to train on",
    { data: { split: { control: 8000 } } },
    1,
    /split: want 8000 control and 32 validation examples and at least 1 to train on, got 8000 in all; lower data\.split\n/,
  ],
  [
    "slots that match nothing",
    { growth: { slots: ["blok*"] } },
    2,
    /morph: 0 slots matched "blok\*"; .*: block1, block2\n/,
  ],
  [
    "an unknown blueprint",
    { growth: { blueprints: ["conv4"] } },
    2,
    /config: growth\.blueprints\.0: want a blueprint, got "conv4"; did you mean "conv3"\?\n/,
  ],
  [
    "a schedule that is not there",
    { controller: { kind: "fixed", schedule: "/nowhere/schedule.json" } },
    2,
    /\/nowhere\/schedule\.json: want a readable JSON file, got: No such file/,
  ],
];

for (const [what, changes, code, line] of invalid) {
  Deno.test(`${what}: one line, exit code ${code}, nothing written`, async () => {
    await withConfig("images", changes, (root) => assertRefused(root, newRun(root, "--dry-run"), code, line));
  });
}

Deno.test("data that is nowhere: one line with the cures, nothing written", async () => {
  const changes = { data: { kind: "cifar10", dir: "/nowhere" } };
  await withConfig("images", changes, async (root) => {
    const cures =
      /data\.dir \(\/nowhere\) does not exist; .*Cures: --set data\.dir=FOLDER .*CIFAR10_DIR=FOLDER.*whenUnavailable=digits\n/;
    // The folder that a download would go to is made, and empty.
    await Deno.mkdir(`${root}/cache/esper`, { recursive: true });
    await assertRefused(root, newRun(root), 1, cures, await noCifar10(root));
  });
});

Deno.test("corrupt data: one line that names the file, nothing written", async () => {
  await withConfig("images", { data: { kind: "fashion-mnist" } }, async (root) => {
    const dir = `${root}/data`, files = await tinyFashionMnist(100, 10);
    await writeFiles(dir, files);
    const args = newRun(root, "--set", `data.dir=${dir}`);
    const { name, bytes } = files[0];
    await Deno.writeFile(`${dir}/${name}`, bytes.subarray(0, bytes.length >> 1));
    await assertRefused(root, args, 1, new RegExp(`${dir}/${name}: want `));
    await Deno.remove(`${dir}/${name}`);
    await assertRefused(
      root,
      args,
      1,
      new RegExp(`${dir}/train-images-idx3-ubyte.*: want a readable file, got no such file`),
    );
  });
});

Deno.test("no adapter: one line with the cure, nothing written", async () => {
  await withConfig("points", {}, async (root) => {
    await assertRefused(
      root,
      newRun(root),
      1,
      /WebGPU \(native\): no adapter; install a Vulkan driver .*apt-get install/,
      {
        ...ENVIRONMENT,
        VK_DRIVER_FILES: "/nonexistent",
        VK_ICD_FILENAMES: "/nonexistent",
      },
    );
  });
});

Deno.test("an output folder that cannot be: one line with the cure, nothing written", async () => {
  await withConfig("points", {}, async (root) => {
    const args = ["--config", `${root}/config.json`, "--out", `${root}/config.json/runs`];
    await assertRefused(
      root,
      args,
      1,
      /urza: want to write .*\/config\.json\/runs, got a file where a folder should be \(ENOTDIR\); choose another folder\n/,
    );
    await assertRefused(
      root,
      [...args.slice(0, 3), "/proc/self/runs"],
      1,
      /\/proc\/self\/runs, got .*; choose another folder\n/,
    );
  });
});

Deno.test("no checkpoint without a flipped byte: one line that names the file; mended, the run goes on", async () => {
  await withConfig("points", { train: { maxSteps: 16 }, loop: { checkpointTicks: 2 } }, async (root) => {
    const run = `${root}/runs/points-1`;
    await follow(newRun(root, "--max-steps", "8"));
    const { present } = await newestCheckpoint(run);
    const blob = `${run}/store/blobs/${present.numbers[0].slice(0, 2)}/${present.numbers[0]}`;
    const manifests = ["step-000000008", "best"].map((name) =>
      `${run}/store/manifests/checkpoint/${name}.json`
    );
    for (const paths of [[blob], manifests]) {
      const [path] = paths, wholes = await Promise.all(paths.map((path) => Deno.readFile(path)));
      for (const [k, whole] of wholes.entries()) {
        const broken = whole.slice();
        broken[whole.length >> 1] ^= 4;
        await Deno.writeFile(paths[k], broken);
      }
      const line = new RegExp(
        `urza: want content with SHA-256 \\w+ in ${path}, got \\w+; the file is damaged, restore it`,
      );
      await assertRefused(root, ["--resume", run], 1, line);
      for (const [k, whole] of wholes.entries()) await Deno.writeFile(paths[k], whole);
    }
    const config = await Deno.readTextFile(`${run}/config.json`);
    await Deno.writeTextFile(`${run}/config.json`, config.replace('"batch": 16', '"batch": 17'));
    const changed =
      /checkpoint step-000000008: was written under another configuration; restore the run's config\.json\n/;
    await assertRefused(root, ["--resume", run], 1, changed);
    await Deno.writeTextFile(`${run}/config.json`, config);
    const { code, lines } = await follow(["--resume", run, "--max-steps", "16"]);
    assertEquals([code, lines.at(-1)!.payload.steps], [0, 16]);
  });
});

Deno.test("a disk that fills up during a run: one line with the cure; with space, the run goes on", async () => {
  await withConfig("points", { loop: { checkpointTicks: 1 } }, async (root) => {
    const unmount = await smallDisk(`${root}/runs`, 512);
    if (!unmount) return;
    try {
      const run = `${root}/runs/points-1`;
      await follow(newRun(root, "--max-steps", "12"));
      // Filled to the last block.
      const ballast = await Deno.open(`${root}/runs/ballast`, { create: true, write: true });
      try {
        for (;;) await ballast.write(new Uint8Array(512));
      } catch {
        ballast.close();
      }
      const { code, stderr } = await runEsper(["--resume", run, "--max-steps", "60", "--quiet"], ENVIRONMENT);
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /^esper: urza: want to write [^\n]+, got a full disk \(ENOSPC\); free some space or choose another folder\n$/,
      );
      await Deno.remove(`${root}/runs/ballast`);
      const { code: later, lines } = await follow(["--resume", run, "--max-steps", "60"]);
      assertEquals([later, lines.at(-1)!.payload.steps], [0, 60]);
      assert(lines[0].payload.resumedAt >= 12);
    } finally {
      await unmount();
    }
  });
});

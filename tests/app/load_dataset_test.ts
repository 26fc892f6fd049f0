import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LoadHooks } from "../../src/app/adapters/load_dataset.ts";
import { loadDataset } from "../../src/app/adapters/load_dataset.ts";
import { RunConfig } from "../../src/contracts/config.ts";
import { UserError } from "../../src/util/errors.ts";
import { tinyCifar10, writeFiles } from "../support/tiny_cifar10.ts";
import { tinyFashionMnist } from "../support/tiny_fashion_mnist.ts";

const NOWHERE: LoadHooks = {
  env: (name) => name === "XDG_CACHE_HOME" ? "/dev/null" : undefined,
  cifar10: { address: "http://127.0.0.1:1/closed", recordsPerFile: 2 },
  debianFolder: "/dev/null",
};

function dataConfig(data: Record<string, unknown>): RunConfig["data"] {
  const host = data.kind === "spirals" ? { kind: "mlp" } : { kind: "cnn" };
  return RunConfig.parse({ data, host, train: { budgetGflop: 1 } }).data;
}

async function inFolder(run: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await run(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("loadDataset() reads CIFAR-10 and pools it to data.pixels, without a notice", async () => {
  await inFolder(async (root) => {
    await writeFiles(root, tinyCifar10(2));
    const config = dataConfig({ kind: "cifar10", dir: root, pixels: 16 });
    const { dataset, notice } = await loadDataset(config, 1, NOWHERE);
    assertEquals([dataset.name, dataset.shape, notice], ["cifar10", [16, 16, 3], null]);
    assertEquals(dataset.train.data.length, 10 * 16 * 16 * 3);
  });
});

Deno.test("loadDataset() takes the digits, at CIFAR-10's size and with a notice, where the configuration says so", async () => {
  const config = dataConfig({ kind: "cifar10", dir: "/none", whenUnavailable: "digits", pixels: 16 });
  const { dataset, notice } = await loadDataset(config, 1, NOWHERE);
  assertEquals([dataset.name, dataset.shape, dataset.train.count], ["digits", [16, 16, 1], 8000]);
  assert(
    notice?.startsWith(
      "training on 10000 handwritten digits instead of cifar10, which is unavailable: " +
        "data.dir (/none) does not exist; cache: want to write to /dev/null/esper, got ",
    ),
    notice ?? "no notice",
  );
});

Deno.test("loadDataset() fits split and mirroring to the digits, and says so", async () => {
  const load = (data: Record<string, unknown>) => loadDataset(dataConfig(data), 1, NOWHERE);
  const augment = { crop: 2, flip: true }, upright = { crop: 2, flip: false };
  const tooMuch = { control: 2000, validation: 6000 };
  const substitute = await load({
    kind: "cifar10",
    whenUnavailable: "digits",
    split: tooMuch,
    augment,
    trainLimit: 5000,
  });
  assertEquals(substitute.split, { control: 1000, validation: 3000, trainLimit: 5000 });
  assertEquals(substitute.augment, upright);
  assert(
    substitute.notice?.endsWith(
      "; 1000 of them for control and 3000 for validation; digits are not mirrored",
    ),
    substitute.notice ?? "no notice",
  );
  const asked = await load({ kind: "digits", augment });
  assertEquals([asked.augment, asked.notice], [upright, "digits are not mirrored"]);
  assertEquals([asked.split.control, asked.split.validation], [2000, 2000]);
});

Deno.test("loadDataset() is an error with cures where no substitute is named", async () => {
  await assertRejects(
    () => loadDataset(dataConfig({ kind: "cifar10" }), 1, NOWHERE),
    UserError,
    "Cures: --set data.dir=FOLDER where FOLDER holds cifar-10-batches-bin, or CIFAR10_DIR=FOLDER, " +
      "or a network that reaches 127.0.0.1:1, or --set data.whenUnavailable=digits",
  );
  await assertRejects(
    () => loadDataset(dataConfig({ kind: "fashion-mnist" }), 1, NOWHERE),
    UserError,
    "fashion-mnist: want its files, got none: Debian's folder (/dev/null) has no train-images-idx3-ubyte.gz. " +
      "Cures: --set data.dir=FOLDER, or FASHION_MNIST_DIR=FOLDER, or apt-get install dataset-fashion-mnist, " +
      "or --set data.whenUnavailable=digits",
  );
});

Deno.test("loadDataset() never hides a broken file behind the substitute", async () => {
  await inFolder(async (root) => {
    await writeFiles(root, tinyCifar10(1));
    await assertRejects(
      () => loadDataset(dataConfig({ kind: "cifar10", dir: root, whenUnavailable: "digits" }), 1, NOWHERE),
      UserError,
      `${root}/data_batch_1.bin: want 6146 bytes`,
    );
  });
});

Deno.test("loadDataset() looks for Fashion-MNIST in data.dir, FASHION_MNIST_DIR and Debian's folder", async () => {
  await inFolder(async (root) => {
    for (const [folder, count] of [["dir/fashion-mnist", 3], ["variable", 4], ["debian", 5]] as const) {
      await writeFiles(`${root}/${folder}`, await tinyFashionMnist(count, 1));
    }
    const set: Record<string, string> = { FASHION_MNIST_DIR: `${root}/variable` };
    const hooks: LoadHooks = { env: (name) => set[name], debianFolder: `${root}/debian` };
    const load = async (dir?: string) => {
      const { dataset, notice } = await loadDataset(dataConfig({ kind: "fashion-mnist", dir }), 1, hooks);
      return { count: dataset.train.count, notice };
    };
    assertEquals(await load(`${root}/dir`), { count: 3, notice: null });
    assertEquals(await load(), { count: 4, notice: null });
    set.FASHION_MNIST_DIR = `${root}/none`;
    assertEquals(await load(), {
      count: 5,
      notice: `FASHION_MNIST_DIR (${root}/none) does not exist; Fashion-MNIST was read from ${root}/debian`,
    });
  });
});

Deno.test("loadDataset() gives the digits as they are", async () => {
  const { dataset, notice } = await loadDataset(dataConfig({ kind: "digits" }), 1, NOWHERE);
  assertEquals([dataset.name, dataset.shape, notice], ["digits", [28, 28, 1], null]);
});

Deno.test("loadDataset() draws spirals by seed, split.test of data.count as test set", async () => {
  const config = dataConfig({ kind: "spirals", classes: 2, count: 300, split: { test: 50 } });
  const { dataset } = await loadDataset(config, 4, NOWHERE);
  assertEquals([dataset.classes.length, dataset.train.count, dataset.test.count], [2, 250, 50]);
  assert(dataset.sha256 !== (await loadDataset(config, 5, NOWHERE)).dataset.sha256);
});

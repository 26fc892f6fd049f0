/** Everything that reads files which may come from anywhere, with good files of each kind. */
import { resolveConfig } from "../../src/app/config.ts";
import { readNetwork, writeNetwork } from "../../src/app/export_file.ts";
import { networkOfRun } from "../../src/app/export_run.ts";
import { checkFit } from "../../src/app/checkpoint_fit.ts";
import { readCheckpoint } from "../../src/app/checkpoint.ts";
import { buildNetwork } from "../../src/app/network.ts";
import { parseTuned, runChoices } from "../../src/app/tuned_kernels.ts";
import { untar } from "../../src/app/adapters/untar.ts";
import { parseCifar10 } from "../../src/engine/data/cifar10.ts";
import { parseIdx } from "../../src/engine/data/idx.ts";
import { readSafetensors } from "../../src/engine/io/safetensors.ts";
import { parseSchedule } from "../../src/tamiyo/mod.ts";
import { fitOf, library, parseBlueprint } from "../../src/tezzeret/mod.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { seal, unseal } from "../../src/urza/seal.ts";
import type { Json } from "../../src/util/json.ts";
import { grownNetwork } from "../support/exported.ts";
import { encode, images, json, manifest, NUMBERS, PLACE, points } from "./files.ts";
import type { Reader } from "./hostile.ts";
import { runReaders } from "./run_readers.ts";

const INPUT = { shape: [8, 8, 3], classes: ["a", "b"], normalisation: { mean: [0, 0, 0], std: [1, 1, 1] } };
const network = grownNetwork({ kind: "cnn", channels: [4], norm: "batch", groupSize: 4 }, INPUT, [[
  "block1",
  "se",
]]);
/** A store with this checkpoint in it, `BLOB` standing for the hash of its numbers. */
async function storeWith(manifest: unknown) {
  const store = createMemoryStore();
  const hash = await store.put(NUMBERS);
  const text = (JSON.stringify(manifest) ?? "null").replaceAll("BLOB", hash);
  await store.writeManifest("checkpoint", "step-000000004", JSON.parse(text) as Json);
  return store;
}

const record = {
  run: "points-1",
  dataset: { name: "spirals" },
  input: { shape: [2], classes: ["a", "b", "c"], normalisation: null },
};

function tar(): Uint8Array {
  const bytes = new Uint8Array(2048),
    put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  put(0, "cifar-10-batches-bin/test_batch.bin");
  put(124, "00000000100");
  put(156, "0");
  return bytes;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const idx = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
const cifar = new Uint8Array(2 * 3073);
const kernels = { "conv2d [1, 2]": { variant: "tile", microseconds: { tile: 1.5, naive: 4 } } };

export const readers: readonly Reader[] = [
  {
    name: "configuration",
    seeds: [
      encode(points),
      encode(images),
      encode({
        ...images,
        host: { kind: "resnet", width: 4, blocks: [1, 1] },
        profiles: { small: { seed: 2 } },
      }),
    ],
    read(bytes) {
      const config = resolveConfig({ file: json(bytes), sets: [], flags: {} }, "small");
      if (config.host.kind === "file") return;
      const [shape, classes] = config.data.kind === "spirals"
        ? [[2], config.data.classes]
        : [[32, 32, 3], 10];
      buildNetwork(config, shape, classes);
    },
  },
  {
    name: "override",
    seeds: [new TextEncoder().encode("growth.slots=layer*"), new TextEncoder().encode("host.hidden=[4,8]")],
    read: (bytes) =>
      resolveConfig({ file: points, sets: [new TextDecoder().decode(bytes)], flags: {} }, "small"),
  },
  {
    name: "blueprint",
    seeds: library.map(encode),
    read(bytes) {
      const blueprint = parseBlueprint(json(bytes));
      for (const shape of [[4, 4, 8], [8]]) fitOf(blueprint, shape);
    },
  },
  {
    name: "decision list",
    seeds: [
      encode([{ tick: 1, action: "germinate", slot: "a", blueprint: "se" }, {
        tick: 2,
        action: "prune",
        slot: "a",
      }]),
    ],
    read: (bytes) => parseSchedule(json(bytes), "list"),
  },
  {
    name: "tuned kernels",
    seeds: [encode({ version: 1, adapter: "a", description: "b", esper: "c", kernels })],
    read: (bytes) => runChoices(null, { path: "tuned.json", file: parseTuned(json(bytes), "tuned.json") }),
  },
  {
    name: "kernels of a run",
    seeds: [encode({ version: 1, kernels: { "conv2d [1, 2]": "tile" } })],
    read: (bytes) => runChoices(json(bytes), null),
  },
  {
    name: "safetensors",
    seeds: [writeNetwork(network)],
    read: (bytes) => readSafetensors(bytes, "f"),
  },
  { name: "exported network", seeds: [writeNetwork(network)], read: (bytes) => readNetwork(bytes, "f") },
  {
    name: "description of a network",
    seeds: [encode(network.description)],
    read: (bytes) =>
      readNetwork(writeNetwork({ ...network, description: json(bytes) as typeof network.description }), "f"),
  },
  {
    name: "manifest",
    seeds: [await seal({ a: [1, 2], b: { c: null } }), await seal(manifest as unknown as Json)],
    read: (bytes) => unseal(bytes, "manifest.json"),
  },
  {
    name: "checkpoint",
    seeds: [encode(manifest)],
    async read(bytes) {
      const checkpoint = await readCheckpoint(await storeWith(json(bytes)), "c");
      checkFit(checkpoint!, buildNetwork(points, [2], 3), PLACE);
    },
  },
  {
    name: "checkpoint of an export",
    seeds: [encode(manifest)],
    read: async (bytes) =>
      writeNetwork(
        await networkOfRun({ name: "points-1", config: points, record, store: await storeWith(json(bytes)) }),
      ),
  },
  {
    name: "record of a run",
    seeds: [encode(record)],
    read: async (bytes) =>
      await networkOfRun({
        name: "points-1",
        config: points,
        record: json(bytes),
        store: await storeWith(manifest),
      }),
  },
  {
    name: "configuration of a run",
    seeds: [encode(points)],
    read: async (bytes) =>
      await networkOfRun({ name: "points-1", config: json(bytes), record, store: await storeWith(manifest) }),
  },
  {
    name: "idx",
    seeds: [idx, await gzip(idx)],
    read: (bytes) => parseIdx({ name: "idx", bytes }),
  },
  {
    name: "cifar10",
    seeds: [cifar],
    read: (bytes) =>
      parseCifar10([bytes, cifar, cifar, cifar, cifar, bytes].map((bytes) => ({ name: "b", bytes })), 2),
  },
  { name: "tar", seeds: [tar()], read: (bytes) => untar(bytes) },
  ...runReaders,
];

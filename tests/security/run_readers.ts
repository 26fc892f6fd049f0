/** What runs and trainings of policies leave behind, and read again: logs, an index, numbers, policies, trajectories. */
import { readRunSettings } from "../../src/app/adapters/run_record.ts";
import { readCheckpoint } from "../../src/app/checkpoint.ts";
import { checkFit } from "../../src/app/checkpoint_fit.ts";
import { edgesIn, formatLine, parseLog } from "../../src/app/log_lines.ts";
import { buildNetwork } from "../../src/app/network.ts";
import { openPolicy } from "../../src/app/policy.ts";
import { readPolicyCheckpoint } from "../../src/app/policy_checkpoint.ts";
import { seedFates } from "../../src/app/seed_fates.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import { HEALTH, TIMES } from "../../src/contracts/health.ts";
import type { KeptTrajectory } from "../../src/contracts/trajectory.ts";
import { readSafetensors, writeSafetensors } from "../../src/engine/io/safetensors.ts";
import { createGraphPolicy } from "../../src/tamiyo/policy/network.ts";
import { createReplayBuffer } from "../../src/tamiyo/rl/replay_buffer.ts";
import { createFileStore, fileMedium } from "../../src/urza/adapters/files.ts";
import { sqliteIndex } from "../../src/urza/adapters/sqlite_index.ts";
import { createMemoryStore, listStore } from "../../src/urza/mod.ts";
import type { Json } from "../../src/util/json.ts";
import { untrainedPolicy } from "../support/policies.ts";
import { germinations, observationLike, seedLike } from "../tamiyo/observations.ts";
import { encode, json, manifest, NUMBERS, PLACE, points } from "./files.ts";
import type { Reader } from "./hostile.ts";

const unknown = { value: null, slope: null };
const statistics = <K extends string>(keys: readonly K[]) =>
  Object.fromEntries(keys.map((key) => [key, unknown])) as Record<K, typeof unknown>;
const clock = { tick: 1, step: 8 };

const events: readonly Pick<AnyEnvelope, "topic" | "payload">[] = [
  {
    topic: "run.started",
    payload: {
      ...{ run: "r", config: "c", dataset: "d", adapter: "a", profile: "small", dryRun: false },
      ...{ budgetFlops: 1e9, maxSteps: null, resumedAt: 0 },
    },
  },
  {
    topic: "seed.edge",
    payload: {
      ...{ ...clock, slot: "layer1", seed: "layer1/1", blueprint: "mlp", from: "DORMANT", to: "GERMINATED" },
      ...{ reason: "action", evidence: { live: 0, gradNorm: "NaN", fit: "fits" } },
    },
  },
  {
    topic: "action.vetoed",
    payload: { ...clock, action: { kind: "prune", slot: "a" }, reason: "wrong_stage", evidence: {} },
  },
  {
    topic: "governor.rollback",
    payload: { ...clock, reason: "r", restoredStep: 4, slots: ["layer1"], rollbacks: 1 },
  },
  {
    topic: "run.finished",
    payload: { run: "r", reason: "completed", step: 8, loss: 1, accuracy: NaN, weights: "0".repeat(64) },
  },
] as const;

const measures: readonly Pick<AnyEnvelope, "topic" | "payload">[] = [
  {
    topic: "step.metrics",
    payload: { step: 8, loss: NaN, accuracy: 0.5, learningRate: 0.1, imagesPerSecond: Infinity, flops: 7 },
  },
  {
    topic: "tick.report",
    payload: {
      ...{ ...clock, progress: 0.1, trainLoss: 1, controlLoss: null },
      slots: [{
        ...{ slot: "layer1", stage: "TRAINING", blueprint: "mlp", alpha: 0 },
        advantage: { mean: 0.1, se: 0.01, n: 8 },
        health: statistics(HEALTH),
        times: statistics(TIMES),
      }],
      decision: { action: { kind: "germinate", slot: "layer1", blueprint: "mlp" }, why: "w", warnings: [] },
    },
  },
];

const logOf = (events: readonly Pick<AnyEnvelope, "topic" | "payload">[]) =>
  events.map((event) => formatLine({ ...event, id: 1, time: 9 } as AnyEnvelope)).join("");
const text = (value: string) => new TextEncoder().encode(value);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function inFolder<T>(work: (root: string) => T | Promise<T>): Promise<T> {
  const root = Deno.makeTempDirSync();
  try {
    return await work(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** An index over three manifests. */
const index = await inFolder(async (root) => {
  const store = createFileStore(root);
  for (const name of ["a", "b", "c"]) await store.writeManifest("checkpoint", name, { name });
  sqliteIndex(root).change([{
    path: "manifests/checkpoint/a.json",
    stamp: "1 2 3",
    facts: { state: null, label: "a", mentions: [] },
  }], []);
  return Deno.readFileSync(`${root}/index.sqlite`);
});

const observation = observationLike({
  slots: [seedLike("a"), seedLike("b", { stage: "DORMANT", blueprint: null, removal: null })],
  legal: [{ kind: "wait" }, { kind: "advance", slot: "a" }, ...germinations(["b"], ["se", "conv3"])],
});
const trajectory: KeptTrajectory = {
  ...{ version: 1, task: "t", taskHash: "a".repeat(64), seed: 1, policy: 0, bootstrap: 0, return: 0.5 },
  transitions: [{ observation, action: 1, reward: 0.5, logProbability: -0.7, value: 0.1 }],
};

const policy = untrainedPolicy();
const { tensors, metadata } = readSafetensors(policy, "policy");
const decide = async (bytes: Uint8Array) => (await openPolicy(bytes, "policy")).logits(observation);
const network = createGraphPolicy(["se"]);

const training = {
  ...{ version: 1, config: "0".repeat(64), logs: { "log.jsonl": 4 }, iteration: 2, episodes: { t: 3 } },
  ...{ blueprints: ["se"], best: { score: 0.5, iteration: 1, file: "1".repeat(64) }, data: "2".repeat(64) },
  normalisation: network.save!() as Json,
  learner: { updates: 7, shape: { batch: 4, actions: 8, nodes: 16 } },
  numbers: ["BLOB"],
};

/** A store with this blob in it, and a manifest that mentions it as `BLOB`. */
async function storeOf(kind: string, name: string, value: unknown, blob: Uint8Array) {
  const store = createMemoryStore(), hash = await store.put(blob);
  const filled = (JSON.stringify(value) ?? "null").replaceAll("BLOB", hash);
  await store.writeManifest(kind, name, JSON.parse(filled) as Json);
  return store;
}

export const runReaders: readonly Reader[] = [
  {
    name: "log",
    seeds: [
      text(logOf(events)),
      text(logOf(measures)),
      ...[...events, ...measures].map((one) => text(logOf([one]))),
    ],
    read: (bytes) => seedFates(edgesIn(parseLog(textOf(bytes), "events.jsonl")), () => 1),
  },
  {
    name: "run that is replayed",
    seeds: [encode({
      ...{ profile: "small", unsafeGpu: false, dataset: { name: "d", sha256: "0" } },
      adapter: { description: "a" },
    })],
    read: (bytes) =>
      inFolder((root) => {
        Deno.writeTextFileSync(`${root}/config.json`, JSON.stringify(points));
        Deno.writeTextFileSync(`${root}/kernels.json`, "{}");
        Deno.writeFileSync(`${root}/run.json`, bytes);
        readRunSettings(root, "kernels.json");
      }),
  },
  {
    name: "index",
    seeds: [index],
    // Whatever it holds, the files are the truth: all three manifests are there.
    read: (bytes) =>
      inFolder(async (root) => {
        const store = createFileStore(root);
        for (const name of ["a", "b", "c"]) await store.writeManifest("checkpoint", name, { name });
        Deno.writeFileSync(`${root}/index.sqlite`, bytes);
        const { manifests } = await listStore(fileMedium(root), sqliteIndex(root));
        const found = manifests.map(({ name }) => name).sort();
        if (found.join() !== "a,b,c") throw new TypeError(`got ${found}`);
      }),
  },
  {
    name: "numbers",
    seeds: [NUMBERS],
    async read(bytes) {
      const store = await storeOf("checkpoint", "step-000000004", manifest, bytes);
      const checkpoint = await readCheckpoint(store, "c");
      checkFit(checkpoint!, buildNetwork(points, [2], 3), PLACE);
    },
  },
  { name: "policy", seeds: [policy], read: decide },
  {
    name: "description of a policy",
    seeds: [text(metadata["esper-policy"])],
    read: (bytes) => decide(writeSafetensors({ tensors, metadata: { "esper-policy": textOf(bytes) } })),
  },
  {
    name: "trajectory",
    seeds: [encode(trajectory)],
    async read(bytes) {
      const store = await storeOf("replay", "trajectories", [{ blob: "BLOB", policy: 0 }], bytes);
      const observations = (await createReplayBuffer(store, 3).read(0, 9))
        .flatMap(({ transitions }) => transitions.map(({ observation }) => observation));
      network.encode(observations, network.shapeFor(observations));
      network.adapt!(observations);
    },
  },
  {
    name: "list of trajectories",
    seeds: [encode([{ blob: "BLOB", policy: 0 }])],
    read: async (bytes) =>
      await createReplayBuffer(await storeOf("replay", "trajectories", json(bytes), encode(trajectory)), 3)
        .read(0, 9),
  },
  {
    name: "checkpoint of a policy",
    seeds: [encode(training)],
    async read(bytes) {
      const store = await storeOf("checkpoint", "newest", json(bytes), NUMBERS);
      const read = await readPolicyCheckpoint(store, "0".repeat(64));
      createGraphPolicy([]).restore!(read!.checkpoint.normalisation);
    },
  },
];

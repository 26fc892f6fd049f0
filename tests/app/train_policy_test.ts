import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { resolvePolicyTraining } from "../../src/app/policy_config.ts";
import { loadPolicyFile } from "../../src/app/policy.ts";
import type { Task } from "../../src/app/tasks.ts";
import type { PolicyTrainingOptions } from "../../src/app/policy_work.ts";
import { trainPolicy } from "../../src/app/train_policy.ts";
import { createReplayBuffer } from "../../src/tamiyo/rl/replay_buffer.ts";
import { createFileStore } from "../../src/urza/adapters/files.ts";
import { canonicalJson } from "../../src/util/json.ts";
import { UserError } from "../../src/util/errors.ts";
import { sha256 } from "../../src/util/hash.ts";
import { tinyConfig, tinyData } from "../support/session.ts";

/** A training that takes seconds: a simulated and a real episode or two at a time. */
const TINY = {
  iterations: 2,
  collect: { simulated: 2, real: 1, lanes: 2, reuse: true },
  clone: { episodes: 2, real: 0.5, epochs: 1 },
  ppo: { batch: 16, epochs: 1 },
  evaluate: { every: 1, tasks: 1, episodes: 1 },
};

const config = tinyConfig("points", {
  train: { maxSteps: 24 },
  growth: { blueprints: ["mlp", "affine"] },
});
const TASK: Task = { name: "points", config, data: (seed) => tinyData({ ...config, seed }) };

function options(root: string, changes: Partial<PolicyTrainingOptions> = {}): PolicyTrainingOptions {
  return {
    config: resolvePolicyTraining(TINY),
    tasks: [TASK],
    backend: "native",
    out: root,
    resume: null,
    signal: new AbortController().signal,
    onLine() {},
    ...changes,
  };
}

Deno.test("a training that is interrupted and resumed writes the policy that it would have written, bit for bit", async () => {
  const root = await Deno.makeTempDir();
  try {
    const kinds: string[] = [];
    const whole = await trainPolicy(options(root, { onLine: ({ kind }) => void kinds.push(kind) }));
    assertEquals(kinds, ["clone", "evaluation", "iteration", "evaluation", "iteration", "evaluation"]);
    assertEquals([whole.outcome, whole.iterations], ["completed", 2]);
    assertEquals(whole.episodes, { simulator: 6, points: 4 });
    const bytes = Deno.readFileSync(whole.policy!.path);
    assertEquals(await sha256(bytes), whole.policy!.sha256);
    const { manifest } = loadPolicyFile(bytes, "p");
    assertEquals(manifest.training.iterations, whole.policy!.iteration);
    assert(manifest.blueprints.includes("mlp") && manifest.blueprints.includes("conv3"));

    const stop = new AbortController();
    const first = await trainPolicy(options(root, {
      signal: stop.signal,
      onLine: ({ kind, step }) => kind === "evaluation" && step === 1 && stop.abort(),
    }));
    assertEquals([first.outcome, first.iterations], ["interrupted", 1]);
    const second = await trainPolicy(options(root, { resume: first.directory }));
    assertEquals([second.outcome, second.iterations, second.episodes], ["completed", 2, whole.episodes]);
    assertEquals(second.policy!.sha256, whole.policy!.sha256);

    const buffer = createReplayBuffer(createFileStore(`${first.directory}/store`), 9);
    const kept = await buffer.read(0, 9);
    assertEquals(kept.map(({ task, policy }) => [task, policy]), [["points", 0], ["points", 1]]);
    assertEquals(kept[0].taskHash, await sha256(canonicalJson(config)));

    const lines = Deno.readTextFileSync(`${first.directory}/log.jsonl`).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    assertEquals(lines.map(({ kind }) => kind), kinds);
    assert(Deno.statSync(`${first.directory}/events.out.tfevents.esper`).size > 200);
    await assertRejects(
      () =>
        trainPolicy(
          options(root, { resume: first.directory, config: resolvePolicyTraining({ ...TINY, seed: 2 }) }),
        ),
      UserError,
      "checkpoint: was written under another configuration",
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("PPO learns from runs at most one policy behind, older ones are imitated and nothing else", async () => {
  const root = await Deno.makeTempDir();
  try {
    const lines: Record<string, number>[] = [];
    const changes = { iterations: 3, replay: { epochs: 1 }, clone: { episodes: 0 } };
    const collect = { simulated: 0, real: 1, lanes: 1, reuse: true };
    await trainPolicy(options(root, {
      config: resolvePolicyTraining({
        ...TINY,
        ...changes,
        collect,
        evaluate: { every: 9, tasks: 1, episodes: 1 },
      }),
      onLine: ({ kind, scalars }) => void (kind === "iteration" && lines.push(scalars)),
    }));
    const [first, second, third] = lines.map(({ decisions }) => decisions);
    const own = [first, second - first, third - second + first];
    assert(own.every((count) => count > 0), `${own}`);
    assertEquals(lines.map(({ older }) => older), [undefined, undefined, own[0]]);
    assert(Number.isFinite(lines[2].olderCrossEntropy));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a training may begin with a policy file, and keeps the newest policy where none is evaluated", async () => {
  const root = await Deno.makeTempDir();
  try {
    const fresh = await trainPolicy(
      options(root, { config: resolvePolicyTraining({ ...TINY, iterations: 0, clone: { episodes: 1 } }) }),
    );
    const changes = { from: fresh.policy!.path, iterations: 1, evaluate: { tasks: 0 } };
    const next = await trainPolicy(options(root, { config: resolvePolicyTraining({ ...TINY, ...changes }) }));
    assertEquals([next.policy!.iteration, next.policy!.score], [1, null]);
    const moments = (path: string) => loadPolicyFile(Deno.readFileSync(path), "p").manifest.normalisation;
    assertEquals(moments(next.policy!.path), moments(fresh.policy!.path));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a configuration that will not do is refused with path and cure", async () => {
  const cases: [unknown, string][] = [
    [{ ppo: { clip: 2 } }, "config: ppo.clip: "],
    [{ iteration: 3 }, 'config: unknown key "iteration"; did you mean "iterations"?'],
    [{ ppo: { epoch: 3 } }, 'config: unknown key "ppo.epoch"; did you mean "ppo.epochs"?'],
    [[], "config: the file: "],
  ];
  for (const [file, message] of cases) {
    assertThrows(() => resolvePolicyTraining(file), UserError, message);
  }
  const sets = ["ppo.learningRate=1e-4", "clone.teachers=random", "seed=3"];
  const { ppo, clone, seed } = resolvePolicyTraining({ ppo: { batch: 9 } }, { seed: 4 }, sets);
  assertEquals([ppo.batch, ppo.learningRate, clone.teachers, seed], [9, 1e-4, ["random"], 4]);
  assertThrows(
    () => resolvePolicyTraining({}, {}, ["ppo.lernRate=1"]),
    UserError,
    '--set: unknown key "ppo.lernRate"',
  );
  const without = (collect: object) =>
    options("/nowhere", { tasks: [], config: resolvePolicyTraining({ collect }) });
  await assertRejects(
    () => trainPolicy(without({ real: 1 })),
    UserError,
    "config: tasks.list: want a task for real episodes",
  );
  await assertRejects(
    () => trainPolicy(without({ simulated: 0 })),
    UserError,
    "config: collect: want an episode",
  );
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { RunOptions, RunResult } from "../../src/app/options.ts";
import { readPolicyFile } from "../../src/app/adapters/policy_files.ts";
import { resolvePolicyTraining } from "../../src/app/policy_config.ts";
import { evaluateController, TEACHERS } from "../../src/app/policy_episodes.ts";
import { createController } from "../../src/tamiyo/mod.ts";
import { loadPolicyFile, openPolicy } from "../../src/app/policy.ts";
import { replayRun } from "../../src/app/replay.ts";
import { runTraining } from "../../src/app/run.ts";
import { UserError } from "../../src/util/errors.ts";
import { germinations, observationLike } from "../tamiyo/observations.ts";
import { untrainedPolicy } from "../support/policies.ts";
import { tinyConfig } from "../support/session.ts";

const NEVER = new AbortController().signal;

async function run(root: string, changes: object, options: Partial<RunOptions> = {}): Promise<RunResult> {
  return await runTraining({
    config: { file: tinyConfig("points", changes), sets: [], flags: {} },
    ...{
      profile: "small",
      backend: "native",
      out: `${root}/runs`,
      resume: null,
      dryRun: false,
      signal: NEVER,
    },
    onEvent() {},
    ...options,
  });
}

Deno.test("a run that a policy decides can be interrupted, resumed without the file, and replayed, to the same bits", async () => {
  const root = await Deno.makeTempDir();
  try {
    const policy = `${root}/policy.safetensors`;
    Deno.writeFileSync(policy, untrainedPolicy(3));
    const growth = { blueprints: ["mlp", "affine"] };
    const changes = { train: { maxSteps: 40 }, growth, controller: { kind: "gnn", policy, sample: true } };
    const whole = await run(root, changes);
    assert(whole.seeds.length > 0, "it sows something");

    let ticks = 0;
    const stop = new AbortController();
    const onEvent: RunOptions["onEvent"] = ({ topic }) =>
      topic === "tick.report" && ++ticks === 4 && stop.abort();
    const first = await run(root, changes, { signal: stop.signal, onEvent });
    assertEquals(first.outcome, "interrupted");
    Deno.removeSync(policy);
    const config = JSON.parse(Deno.readTextFileSync(`${first.directory}/config.json`));
    const second = await run(root, {}, {
      config: { file: config, sets: [], flags: {} },
      resume: first.directory,
    });
    assertEquals([second.outcome, second.weights], ["completed", whole.weights]);
    const report = await replayRun({ directory: whole.directory!, backend: "native", signal: NEVER });
    assertEquals(report.weights, whole.weights);

    await assertRejects(
      () => run(root, changes),
      UserError,
      `controller.policy: want a policy file, got none at ${policy}; \`main.ts train-policy\` writes one`,
    );
    Deno.writeFileSync(policy, untrainedPolicy(4));
    const other = { ...changes, controller: { ...config.controller } };
    await assertRejects(() => run(root, other), UserError, "controller.policy: want a file with SHA-256");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a policy scores whatever there is to decide: blueprints and slots that it never met, too", async () => {
  const { sha256, logits } = await openPolicy(untrainedPolicy(), "p");
  assertEquals(sha256.length, 64);
  const legal = [{ kind: "wait" as const }, ...germinations(["a", "b"], ["conv3", "never met"])];
  const observation = observationLike({ legal });
  const first = Array.from(logits(observation)).slice(0, legal.length);
  assert(first.every(Number.isFinite) && new Set(first).size > 1, first.join());
  // What it looks at in between changes nothing.
  logits(observationLike());
  assertEquals(Array.from(logits(observation)).slice(0, legal.length), first);
});

Deno.test("a policy file restores the network that it is of, its normalisation included", () => {
  const { network, manifest } = loadPolicyFile(untrainedPolicy(), "p");
  assertEquals(network.save!(), manifest.normalisation);
});

Deno.test("the policy that comes with Esper is of this network, and does on simulated tasks what it was kept for", async () => {
  const bytes = readPolicyFile(), policy = await openPolicy(bytes, "default");
  const config = resolvePolicyTraining({ evaluate: { tasks: 6, episodes: 1 } });
  const gnn = { kind: "gnn", sample: false } as const;
  const score = await evaluateController(config, (seed) => createController(gnn, seed, policy));
  const other = await evaluateController(config, (seed) => createController(TEACHERS.heuristic, seed));
  assert(score > other + 0.02, `${score}, the heuristic ${other}`);
  assert(loadPolicyFile(bytes, "default").manifest.training.iterations > 0);
});

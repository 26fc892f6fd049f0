import { assertEquals, assertRejects } from "@std/assert";
import type { KeptTrajectory } from "../../src/contracts/trajectory.ts";
import { createReplayBuffer } from "../../src/tamiyo/rl/replay_buffer.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { UserError } from "../../src/util/errors.ts";
import { germinations, observationLike } from "./observations.ts";

const trajectory = (policy: number, seed = 1): KeptTrajectory => ({
  ...{ version: 1, task: "t", taskHash: "a".repeat(64), seed, policy, bootstrap: 0, return: 0.5 },
  transitions: [{
    observation: observationLike({ legal: [{ kind: "wait" }, ...germinations(["a"], ["se"])] }),
    ...{ action: 1, reward: 0.5, logProbability: -0.7, value: 0.1 },
  }],
});

Deno.test("a replay buffer keeps whole trajectories, the newest of them, by the policy that played them", async () => {
  const store = createMemoryStore(), buffer = createReplayBuffer(store, 3);
  assertEquals(await buffer.read(0, 9), []);
  await buffer.add([trajectory(0), trajectory(1)]);
  await buffer.add([trajectory(2, 1), trajectory(2, 2)]);
  assertEquals(await buffer.read(0, 9), [trajectory(1), trajectory(2, 1), trajectory(2, 2)]);
  assertEquals(await buffer.read(1, 1), [trajectory(1)]);
  await createReplayBuffer(store, 3).forgetFrom(2);
  assertEquals(await buffer.read(0, 9), [trajectory(1)]);
});

Deno.test("what is not known in an observation is kept as not known; an action that was not legal is refused", async () => {
  const buffer = createReplayBuffer(createMemoryStore(), 3), [only] = trajectory(0).transitions;
  const odd = {
    ...trajectory(0),
    transitions: [{ ...only, observation: { ...only.observation, trainLoss: NaN } }],
  };
  await buffer.add([odd]);
  assertEquals((await buffer.read(0, 0))[0].transitions[0].observation.trainLoss, null);
  const illegal = { ...trajectory(0), transitions: [{ ...only, action: 2 }] };
  await assertRejects(() => buffer.add([illegal]), Error, "want a legal action");
});

Deno.test("a buffer of another version is refused", async () => {
  const store = createMemoryStore();
  const blob = await store.put(new TextEncoder().encode(JSON.stringify({ ...trajectory(0), version: 2 })));
  await store.writeManifest("replay", "trajectories", [{ blob, policy: 0 }]);
  await assertRejects(() => createReplayBuffer(store, 3).read(0, 0), UserError, "replay buffer: version: ");
});

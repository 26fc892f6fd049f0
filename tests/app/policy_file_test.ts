import { assertEquals, assertThrows } from "@std/assert";
import { type PolicyFile, readPolicy, writePolicy } from "../../src/app/policy_file.ts";
import { POLICY_VERSION } from "../../src/contracts/policy.ts";
import { writeSafetensors } from "../../src/engine/io/safetensors.ts";
import { UserError } from "../../src/util/errors.ts";

const FORM = { architecture: "graph-1", parameters: [{ name: "head/weight", shape: [2, 2] }] };
const HASH = "a".repeat(64);

const policy: PolicyFile = {
  manifest: {
    version: POLICY_VERSION,
    architecture: "graph-1",
    normalisation: { count: 3, mean: [0.5, null] },
    blueprints: ["conv3"],
    training: {
      config: HASH,
      seed: 1,
      iterations: 2,
      episodes: { simulator: 4 },
      data: HASH,
      adapter: "some",
    },
    esper: "0.1.0",
  },
  weights: { "head/weight": { shape: [2, 2], data: new Float32Array([1, -2, 0, 4]) } },
};

Deno.test("a policy file holds the same description and numbers when it is read", () => {
  const { manifest, weights } = readPolicy(writePolicy(policy), "p", FORM);
  assertEquals(manifest, policy.manifest);
  assertEquals(weights, policy.weights);
});

Deno.test("a file that is no policy, or not of this network, is refused with what is wrong", () => {
  const CURE = "; train it again with `main.ts train-policy`";
  const weight = (shape: number[], values: number[]) => ({
    ...policy,
    weights: { "head/weight": { shape, data: new Float32Array(values) } },
  });
  const cases: [Uint8Array, string][] = [
    [
      writePolicy({ ...policy, manifest: { ...policy.manifest, architecture: "old" } }),
      'a policy of architecture "graph-1", got "old"',
    ],
    [writePolicy({ ...policy, weights: {} }), 'parameter "head/weight" as float32 [2, 2], got none'],
    [
      writePolicy(weight([4], [1, 2, 3, 4])),
      'parameter "head/weight" as float32 [2, 2], got Float32Array [4]',
    ],
    [writePolicy(weight([2, 2], [1, 2, NaN, 4])), 'finite numbers in "head/weight", got NaN or infinity'],
    [
      writePolicy({ ...policy, weights: { ...policy.weights, more: policy.weights["head/weight"] } }),
      'the network\'s parameters only, got "more"',
    ],
    [
      writeSafetensors({ tensors: {}, metadata: {} }),
      'a policy with its description, got no "esper-policy" in the metadata',
    ],
    [
      writeSafetensors({ tensors: {}, metadata: { "esper-policy": "{" } }),
      "a policy with its description, got one that is not JSON",
    ],
    [
      writeSafetensors({
        tensors: {},
        metadata: { "esper-policy": JSON.stringify({ ...policy.manifest, version: 2 }) },
      }),
      "a policy with its description, got trouble at version: want 1",
    ],
  ];
  for (const [bytes, message] of cases) {
    const { message: got } = assertThrows(
      () => readPolicy(bytes, "p", FORM),
      UserError,
      `p: want ${message}`,
    );
    assertEquals(got.endsWith(CURE), true, got);
  }
});

import { writePolicy } from "../../src/app/policy_file.ts";
import { POLICY_VERSION } from "../../src/contracts/policy.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { createGraphPolicy } from "../../src/tamiyo/policy/network.ts";
import type { Json } from "../../src/util/json.ts";

/** The file of a policy that has learned nothing: every action is about as likely as any other. */
export function untrainedPolicy(seed = 1): Uint8Array<ArrayBuffer> {
  const network = createGraphPolicy(["mlp", "affine", "conv3", "se"]);
  const scope = new TraceScope();
  network.forward(scope, network.shapeFor([]));
  const weights = Object.fromEntries(
    scope.parameters.map((
      { name, shape, init },
    ) => [name, { shape, data: initialise(name, shape, init, seed) }]),
  );
  return writePolicy({
    manifest: {
      version: POLICY_VERSION,
      architecture: network.name,
      normalisation: network.save!() as Json,
      blueprints: [],
      training: {
        config: "0".repeat(64),
        seed,
        iterations: 0,
        episodes: {},
        data: "0".repeat(64),
        adapter: "none",
      },
      esper: "0.1.0",
    },
    weights,
  });
}

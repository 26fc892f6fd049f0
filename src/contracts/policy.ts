/** What a policy file says of itself. */
import { z } from "zod";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits");
const count = z.int().min(0);

/** Version of the form of policy files. */
export const POLICY_VERSION = 1;

/** The description in a policy file, beside its weights. */
export const PolicyManifest = z.strictObject({
  version: z.literal(POLICY_VERSION, `want ${POLICY_VERSION}`),
  /** Name and version of the network and its features: weights fit no other. */
  architecture: z.string().min(1),
  /** How features are normalised, as the network keeps it. */
  normalisation: z.json(),
  /** Blueprints met in training. */
  blueprints: z.array(z.string().min(1)),
  training: z.strictObject({
    /** Of the training's configuration, the iterations done, and all that was learned from. */
    config: hash,
    seed: z.int().min(0),
    iterations: count,
    episodes: z.record(z.string(), count),
    /** Hash of all episodes learned from, in order: tasks, seeds, actions and rewards. */
    data: hash,
    adapter: z.string(),
  }),
  /** Version of Esper that wrote it. */
  esper: z.string(),
});
export type PolicyManifest = z.output<typeof PolicyManifest>;

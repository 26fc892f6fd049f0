import { z } from "zod";
import { RunConfig } from "../../contracts/config.ts";
import { sha256 } from "../../util/hash.ts";
import { canonicalJson } from "../../util/json.ts";
import { Effects } from "./effects.ts";

/** A simulated task: the configuration of a run that need not be run, and what seeds do in it. */
export const SimulatedTask = z.strictObject({
  name: z.string().min(1),
  config: RunConfig,
  effects: Effects,
});
export type SimulatedTask = z.infer<typeof SimulatedTask>;

/** SHA-256 of all that tells a task from another; its name does not. */
export async function taskHash({ config, effects }: SimulatedTask): Promise<string> {
  return await sha256(canonicalJson({ config, effects }));
}

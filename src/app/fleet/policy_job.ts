/** A training of a policy as a job of the fleet. */
import { z } from "zod";
import type { FleetJob } from "../../contracts/fleet.ts";
import type { Conditions, Outcome } from "../../fleet/mod.ts";
import { resolveConfig } from "../config.ts";
import { resolvePolicyTraining } from "../policy_config.ts";
import { createTask } from "../tasks.ts";
import { trainPolicy } from "../train_policy.ts";
import { openKeeper } from "./keeper.ts";
import type { JobParts } from "./run_job.ts";

/** What a job of kind `policy` is made of. */
const PolicySpec = z.strictObject({
  config: z.json(),
  tasks: z.array(z.strictObject({ name: z.string(), config: z.json() })),
});

/**
 * Trains a policy; its folder goes to the store after each evaluation.
 *
 * @returns null where the signal ended it, with its last checkpoint in the store.
 */
export async function performPolicy(
  { store, backend, scratch }: Omit<JobParts, "runner">,
  job: FleetJob,
  { id, signal, progress }: Conditions,
): Promise<Outcome | null> {
  const { loadDataset } = await import("../adapters/load_dataset.ts");
  const { config: file, tasks } = PolicySpec.parse(job.spec);
  const config = resolvePolicyTraining(file, {}, []);
  const out = `${scratch}/${id}`, folder = `${out}/${config.name}-1`;
  const keeper = await openKeeper(store, id, folder);
  let resumedAt = -1, evaluated = false;
  const result = await trainPolicy({
    config,
    tasks: tasks.map((task) =>
      createTask(
        task.name,
        resolveConfig({ file: task.config, sets: [], flags: {} }, "small"),
        loadDataset,
      )
    ),
    ...{ backend, out, resume: keeper.begun ? folder : null },
    signal: AbortSignal.any([signal, keeper.failed]),
    onLine({ kind, step }) {
      // The checkpoint of an evaluation is written once its line has been told.
      if (evaluated) keeper.keep();
      evaluated = kind === "evaluation";
      if (resumedAt < 0) resumedAt = keeper.begun ? step : 0;
      progress({ job: job.name, step, loss: null, done: step / Math.max(1, config.iterations), resumedAt });
    },
  });
  if (result.outcome === "interrupted") {
    if (evaluated) keeper.keep();
    await keeper.settled();
    return null;
  }
  const { iterations, episodes, policy } = result;
  const { path: _, ...kept } = policy!;
  return await keeper.finish({ iterations, episodes, policy: kept }, { iterations, episodes, policy: kept });
}

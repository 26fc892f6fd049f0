/** A training run as a job of the fleet: taken up where another left it, and left so that another can go on. */
import { z } from "zod";
import { PROFILES } from "../../contracts/config.ts";
import type { AnyEnvelope } from "../../contracts/events.ts";
import type { FleetJob } from "../../contracts/fleet.ts";
import type { Conditions, Outcome } from "../../fleet/mod.ts";
import type { Store } from "../../urza/mod.ts";
import { UserError } from "../../util/errors.ts";
import { resolveConfig } from "../config.ts";
import type { BackendChoice } from "../options.ts";
import { outcomeOf } from "../prove/collect.ts";
import type { ArmRunner } from "../prove/run_arm.ts";
import { USED_FILE } from "../tuned_kernels.ts";
import { openKeeper } from "./keeper.ts";

/** What a job of kind `run` is made of. */
const RunSpec = z.strictObject({ config: z.json(), profile: z.enum(PROFILES) });

export interface JobParts {
  readonly runner: ArmRunner;
  readonly store: Store;
  readonly backend: BackendChoice;
  /** Folder of this worker, for jobs in work. */
  readonly scratch: string;
}

/**
 * Trains. At each checkpoint the run's folder goes to the store; a job that has been begun goes on from there.
 *
 * @returns null where the signal ended it, with a checkpoint in the store.
 */
export async function performRun(
  { runner, store, backend, scratch }: JobParts,
  job: FleetJob,
  { id, signal, progress }: Conditions,
): Promise<Outcome | null> {
  const { readRunRecord } = await import("../adapters/run_record.ts");
  const { config: file, profile } = RunSpec.parse(job.spec);
  const config = resolveConfig({ file, sets: [], flags: {} }, profile);
  const out = `${scratch}/${id}`, folder = `${out}/${config.name}-1`;
  const keeper = await openKeeper(store, id, folder);

  let resumedAt = 0, budget = Infinity;
  function onEvent(event: AnyEnvelope): void {
    if (event.topic === "run.started") {
      resumedAt = event.payload.resumedAt;
      budget = event.payload.budgetFlops;
    } else if (event.topic === "step.metrics") {
      const { step, flops, loss } = event.payload;
      const told = Number.isFinite(loss) ? Number(loss) : null;
      progress({ job: job.name, step, loss: told, done: Math.min(1, flops / budget), resumedAt });
    } else if (event.topic === "checkpoint.saved") keeper.keep();
  }

  const request = { config, profile, backend, out, resume: keeper.begun ? folder : null };
  const reply = await runner.run(request, AbortSignal.any([signal, keeper.failed]), onEvent);
  await keeper.settled();
  if (reply.outcome === "interrupted") return null;

  const { record, lines } = readRunRecord(folder, USED_FILE);
  const { data } = job.hashes;
  if (data !== null && record.dataset.sha256 !== data) {
    throw new UserError(
      `fleet: job ${job.name}: want examples ${data.slice(0, 12)}, got ${
        record.dataset.sha256.slice(0, 12)
      }; ` +
        "give this worker the same files",
    );
  }
  return await keeper.finish(outcomeOf(reply, lines), reply);
}

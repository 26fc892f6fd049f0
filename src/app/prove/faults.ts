import { type ArmResult, type ProofManifest } from "../../contracts/proof.ts";
import type { ProofFolder } from "../adapters/proof_folder.ts";
import { canonicalJson } from "../../util/json.ts";
import { configOf, type Job, jobName, runConfigHash, type Task } from "./derive.ts";

/**
 * What is wrong with the evidence, in a line each: every arm's configuration is derived anew, and with its data, device and
 * manifest compared with what its result and its run folder say.
 */
export async function faultsOf(
  jobs: readonly Job[],
  task: Task,
  manifest: ProofManifest,
  folder: ProofFolder,
  resultOf: (job: Job) => ArmResult | undefined,
): Promise<string[]> {
  const faults: string[] = [];
  for (const job of jobs) {
    const name = jobName(job), result = resultOf(job);
    const differ = (what: string, want: unknown, got: unknown) => {
      if (canonicalJson(want) !== canonicalJson(got)) {
        faults.push(`${name}: ${what}: want ${short(want)}, got ${short(got)}`);
      }
    };
    if (!result) {
      faults.push(`${name}: has no result`);
      continue;
    }
    const data = manifest.data[job.seed];
    const config = await runConfigHash(await configOf(job, task, resultOf));
    differ("arm and seed", name, jobName(result));
    differ("manifest of its result", manifest.sha256, result.manifest);
    differ("configuration of its result", config, result.config);
    differ("data of its result", data, result.data);
    if (result.outcome.status === "crashed") continue;
    const run = folder.runRecord(name);
    differ("configuration of its run", config, await runConfigHash(run.config));
    differ("data of its run", data, run.record.dataset.sha256);
    differ("device of its run", manifest.adapter, run.record.adapter);
    const end = run.lines.findLast(({ topic }) => topic === "run.finished");
    differ("weights of its run", result.outcome.weights, end?.topic === "run.finished" ? end.weights : null);
  }
  return faults;
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : canonicalJson(value);
  return /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text;
}

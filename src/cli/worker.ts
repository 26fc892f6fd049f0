/** `worker`: does a fleet's jobs. */
import { hostname, tmpdir } from "node:os";
import type { ServeOptions } from "../app/fleet/serve.ts";
import { BACKEND_CHOICES, type BackendChoice } from "../app/options.ts";
import { usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { BLOBS_OPTION, FLEET_OPTION, fleetUrl } from "./fleet_options.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";

function lineOf(event: Parameters<ServeOptions["onEvent"]>[0]): string {
  if (event.kind === "trouble") return `the queue does not answer (${event.error}); asking on`;
  if (event.kind === "failed") return `${event.job}: failed: ${event.error}`;
  if (event.kind === "lost") return `${event.job}: was cancelled, or is another's now`;
  if (event.kind === "returned") return `${event.job}: given back, with a checkpoint`;
  return `${event.job}: ${event.kind === "took" ? "begun" : "done"}`;
}

/** `/health` and `/ready` of a worker: it is ready while database and store answer, and until it leaves. */
async function openHealth(url: string, port: number) {
  const { serveHealth } = await import("../app/adapters/health_server.ts");
  const { lookAtServices } = await import("../app/adapters/services.ts");
  let blobs: string | null = null, leaving = false;
  const server = serveHealth(port, async () => {
    if (leaving) return "leaving";
    if (blobs === null) return "starting";
    const states = await lookAtServices({ postgres: url, blobs, redis: null, fleet: true });
    const troubles = states.filter(({ ready }) => !ready);
    return troubles.length === 0 ? null : troubles.map(({ place, text }) => `${place}: ${text}`).join("\n");
  });
  return {
    joined: (agreed: string) => void (blobs = agreed),
    leave: () => void (leaving = true),
    close: server.close,
  };
}

async function run(values: Values): Promise<number> {
  if (values.fleet === undefined) throw usageError("worker: want --fleet URL, got none");
  const url = fleetUrl(values.fleet as string), quiet = values.quiet === true;
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { serveFleet } = await import("../app/fleet/serve.ts");
  const host = hostname(), id = (values.name ?? `${host}-${Deno.pid}`) as string;
  const scratch = (values.scratch ?? null) as string | null;
  const folder = scratch ?? await Deno.makeTempDir({ prefix: "esper-worker-" });
  const resumed = new Set<string>();
  const health = values.health === undefined ? null : await openHealth(url, values.health as number);
  const announce = () =>
    printError("\nleaving after a checkpoint, and giving the job back; again exits at once");
  try {
    const { completed, failed } = await withInterrupt(announce, (signal) => {
      signal.addEventListener("abort", () => health?.leave());
      return serveFleet({
        ...{ url, id, host, signal },
        blobs: (values.blobs ?? null) as string | null,
        backend: (values.backend ?? "auto") as BackendChoice,
        scratch: folder,
        untilEmpty: values["until-empty"] === true,
        ...health && { onJoined: health.joined },
        onEvent: (event) => print(quiet ? "" : `${lineOf(event)}\n`),
        onProgress({ job, resumedAt }) {
          if (!quiet && resumedAt > 0 && !resumed.has(job)) print(`${job}: goes on from step ${resumedAt}\n`);
          if (resumedAt > 0) resumed.add(job);
        },
      });
    });
    print(`${id}: ${completed} jobs done, ${failed} tries failed\n`);
  } finally {
    await health?.close();
    if (scratch === null) await Deno.remove(folder, { recursive: true });
  }
  return 0;
}

export const workerCommand: Command = {
  name: "worker",
  summary: "do a fleet's jobs: those of this program's version, for the adapter of this machine",
  options: [
    FLEET_OPTION,
    BLOBS_OPTION,
    {
      name: "backend",
      value: "NAME",
      choices: BACKEND_CHOICES,
      summary: "WebGPU implementation: Deno's own, Dawn, or the better of the two",
      default: "auto",
    },
    {
      name: "name",
      value: "NAME",
      summary: "what the worker is called; no two alike",
      default: "host and process",
    },
    { name: "scratch", value: "DIR", summary: "folder for runs in work", default: "a temporary one" },
    {
      name: "health",
      value: "PORT",
      type: "integer",
      range: [1, 65_535],
      summary: "answer /health and /ready on this port of 127.0.0.1",
    },
    { name: "until-empty", summary: "end once no job waits" },
    { name: "quiet", summary: "print the last line only" },
  ],
  examples: [
    "worker --fleet postgres://esper@db/esper --blobs s3://esper/fleet",
    "worker --fleet postgres://esper@db/esper --until-empty",
  ],
  run,
};

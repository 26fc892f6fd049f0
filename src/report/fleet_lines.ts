/** A fleet in the terminal. */
import type { FleetStatus } from "../app/fleet/status.ts";
import type { WorkerCard } from "../contracts/fleet.ts";
import { renderTable } from "./table.ts";

const WORKERS = ["worker", "job", "step", "loss", "spent", "done", "failed"];

/** A row a worker. */
export function workerLines(workers: readonly WorkerCard[]): string[] {
  return renderTable(
    WORKERS,
    workers.map(({ id, doing: [one], completed, failed, draining }) => [
      id,
      one
        ? one.job + (one.resumedAt > 0 ? `, from step ${one.resumedAt}` : "")
        : draining
        ? "leaving"
        : "idle",
      one ? `${one.step}` : "-",
      one && one.loss !== null ? one.loss.toFixed(4) : "-",
      one ? `${(100 * one.done).toFixed(0)} %` : "-",
      `${completed}`,
      `${failed}`,
    ]),
  );
}

/** Workers, jobs by place and state, and what nobody could do. */
export function fleetLines({ workers, places, dead }: FleetStatus): string[] {
  return [
    ...workers.length > 0 ? workerLines(workers) : ["no worker was heard of lately"],
    "",
    ...renderTable(
      ["jobs for", "workers", "waiting", "active", "completed", "failed", "cancelled"],
      Object.entries(places).map(([place, tally]) => [
        place,
        `${workers.filter((worker) => worker.place === place).length}`,
        ...(["waiting", "active", "completed", "failed", "cancelled"] as const).map((state) =>
          `${tally[state]}`
        ),
      ]),
    ),
    ...dead.length > 0 ? ["", "dead letters:"] : [],
    ...dead.map(({ name, error: { message } }) => `  ${name}: ${message}`),
  ];
}

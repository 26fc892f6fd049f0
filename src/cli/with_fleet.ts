import type { Fleet, FleetOptions } from "../app/fleet/fleet.ts";
import { createFleetTable } from "../report/fleet_table.ts";
import { columns, isTerminal, print } from "./output.ts";

/** Joins the fleet that is asked for, with a table of its workers on the terminal, and leaves it once `use` has ended. */
export async function withFleet<T>(
  giving: Pick<FleetOptions, "url" | "blobs" | "backend" | "verify" | "priority"> | null,
  { quiet, onLine }: { quiet: boolean; onLine: (line: string) => void },
  use: (fleet: Fleet | null, onLine: (line: string) => void) => Promise<T>,
): Promise<T> {
  if (giving === null) return await use(null, onLine);
  const { joinFleet } = await import("../app/fleet/fleet.ts");
  const table = isTerminal() && !quiet ? createFleetTable(print, columns) : null;
  const line = (text: string) => table ? table.above(() => onLine(text)) : onLine(text);
  const fleet = await joinFleet({ ...giving, ...table && { onWorkers: table.workers }, onLine: line });
  try {
    return await use(fleet, line);
  } finally {
    table?.close();
    await fleet.close();
  }
}

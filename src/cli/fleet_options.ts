/** What commands that give work to a fleet have in common. */
import type { FleetOptions } from "../app/fleet/fleet.ts";
import type { BackendChoice } from "../app/options.ts";
import { usageError } from "../util/errors.ts";
import type { Option, Values } from "./command.ts";

export const FLEET_OPTION: Option = {
  name: "fleet",
  value: "URL",
  summary: "PostgreSQL that a fleet's jobs go through; the password is PGPASSWORD's",
  example: "postgres://esper@db/esper",
};

export const BLOBS_OPTION: Option = {
  name: "blobs",
  value: "PLACE",
  summary: "where the fleet keeps results: s3://bucket/prefix, or file:folder that all its machines see",
  default: "what the fleet has agreed on",
};

/** Options of a command whose runs may go to a fleet. */
export const GIVING_OPTIONS: readonly Option[] = [
  { ...FLEET_OPTION, summary: `let workers do the runs, by way of this ${FLEET_OPTION.summary}` },
  BLOBS_OPTION,
  {
    name: "verify",
    value: "PERCENT",
    type: "integer",
    range: [0, 100],
    summary:
      "share of a fleet's jobs that two workers do, in percent; where they differ, results are not believed",
    default: "5",
  },
  {
    name: "priority",
    value: "N",
    type: "integer",
    range: [-1000, 1000],
    summary: "jobs of a higher priority go first in a fleet",
    default: "0",
  },
];

const VERIFY = 5;

/** @throws {UserError} exit code 2 if it is no address of a PostgreSQL, or has a password in it. */
export function fleetUrl(value: string): string {
  if (/^\w+:\/\/[^@/]*:[^@/]*@/.test(value)) {
    throw usageError("--fleet: want no password in the address, where others can read it; set PGPASSWORD");
  }
  if (!/^postgres(ql)?:\/\/[^\s/]+\/[^\s/?]+(\?\S*)?$/.test(value)) {
    throw usageError(`--fleet: want postgres://user@host:5432/database, got "${value}"`);
  }
  return value;
}

/** What `--fleet` and its companions ask for; null where the work stays here. */
export function fleetOptions(
  values: Values,
): Pick<FleetOptions, "url" | "blobs" | "backend" | "verify" | "priority"> | null {
  if (values.fleet === undefined) {
    const alone = ["blobs", "verify", "priority"].find((name) => values[name] !== undefined);
    if (alone) throw usageError(`--${alone}: want --fleet with it`);
    return null;
  }
  return {
    url: fleetUrl(values.fleet as string),
    blobs: (values.blobs ?? null) as string | null,
    backend: (values.backend ?? "auto") as BackendChoice,
    verify: ((values.verify ?? VERIFY) as number) / 100,
    priority: (values.priority ?? 0) as number,
  };
}

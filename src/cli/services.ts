/** `services`: the servers that runs and fleets stand on. */
import { resolveConfig } from "../app/config.ts";
import type { ServiceState, Wanted } from "../app/adapters/services.ts";
import { RunConfig } from "../contracts/config.ts";
import { EXIT_FAILURE, usageError } from "../util/errors.ts";
import { chosenAction } from "./actions.ts";
import type { Command, Values } from "./command.ts";
import { readConfig } from "./config_file.ts";
import { BLOBS_OPTION, FLEET_OPTION, fleetUrl } from "./fleet_options.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";
import { checkOona, OONA } from "./tail.ts";

const TIMEOUT_S = 60;

function blobsOf(value: unknown): string | null {
  if (value === undefined) return null;
  const parsed = RunConfig.shape.urza.safeParse({ kind: "postgres", url: "postgres://h/d", blobs: value });
  if (parsed.success) return value as string;
  throw usageError(`services: --blobs: ${parsed.error.issues[0].message}`);
}

/** What a configuration and the options name; options go first. */
function wantedOf(values: Values): Wanted {
  const named = ["config", "oona", "fleet", "blobs"].filter((name) => values[name] !== undefined);
  if (named.length === 0) {
    throw usageError("services: want --config NAME, or servers by --fleet, --blobs and --oona, got none");
  }
  const { oona, urza } = values.config === undefined
    ? {}
    : resolveConfig({ file: readConfig(values.config as string), sets: [], flags: {} }, "full");
  const store = urza?.kind === "postgres" ? urza : null;
  return {
    postgres: values.fleet === undefined ? store?.url ?? null : fleetUrl(values.fleet as string),
    blobs: blobsOf(values.blobs) ?? store?.blobs ?? null,
    redis: checkOona("services", values) ?? (oona?.kind === "redis" ? oona.url : null),
    fleet: values.fleet !== undefined,
  };
}

function linesOf({ service, place, live, ready, text, cure }: ServiceState): string {
  const mark = ready ? "ready " : live ? "alive " : "ABSENT";
  return `${mark}  ${service}: ${place}: ${text}\n${cure === null ? "" : `        → ${cure}\n`}`;
}

const ACTIONS: Readonly<Record<string, (wanted: Wanted, values: Values) => Promise<ServiceState[]>>> = {
  async status(wanted, values) {
    if (values.timeout !== undefined) throw usageError("--timeout: belongs to services up");
    return await (await import("../app/adapters/services.ts")).lookAtServices(wanted);
  },
  async up(wanted, values) {
    const { bringUp } = await import("../app/adapters/services.ts");
    const timeoutMs = 1000 * ((values.timeout ?? TIMEOUT_S) as number);
    return await withInterrupt(
      () => {},
      (signal) => bringUp(wanted, { timeoutMs, signal, onLine: printError }),
    );
  },
};

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  const action = chosenAction("services", ACTIONS, name);
  const services = await action(wantedOf(values), values), ready = services.every((state) => state.ready);
  if (values.json) print(`${JSON.stringify({ ready, services })}\n`);
  else if (services.length === 0) print("this configuration needs no servers\n");
  else print(services.map(linesOf).join(""));
  return ready ? 0 : EXIT_FAILURE;
}

export const servicesCommand: Command = {
  name: "services",
  summary:
    "check the servers of a configuration or a fleet (status), or start what is missing and prepare them (up)",
  positionals: ["up|status"],
  options: [
    { name: "config", value: "NAME", summary: "configuration whose oona and urza name servers" },
    { ...FLEET_OPTION, summary: "PostgreSQL of a fleet; the password is PGPASSWORD's" },
    {
      ...BLOBS_OPTION,
      summary: "s3://bucket/prefix or file:folder",
      default: "what the configuration names",
    },
    { ...OONA, summary: "Redis server; the password is REDIS_PASSWORD's" },
    {
      name: "timeout",
      value: "SECONDS",
      type: "integer",
      range: [0, 86_400],
      summary: "up: how long to wait until all are ready",
      default: `${TIMEOUT_S}`,
    },
    { name: "json", summary: "print one line of JSON" },
  ],
  examples: [
    "services status --config cifar10",
    "services up --fleet postgres://esper@127.0.0.1/esper --blobs s3://esper/fleet",
    "services status --oona redis://127.0.0.1:6379 --json",
  ],
  run,
};

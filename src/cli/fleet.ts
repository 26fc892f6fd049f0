/** `fleet`: who works, what waits, and what nobody could do. */
import { cancelFleet, fleetStatus } from "../app/fleet/status.ts";
import { fleetLines } from "../report/fleet_lines.ts";
import { usageError } from "../util/errors.ts";
import { chosenAction } from "./actions.ts";
import type { Command, Values } from "./command.ts";
import { FLEET_OPTION, fleetUrl } from "./fleet_options.ts";
import { print } from "./output.ts";

/** What an action has to say, for people and for programs. */
interface Told {
  readonly lines: readonly string[];
  readonly json: unknown;
}

const ACTIONS: Readonly<Record<string, (url: string) => Promise<Told>>> = {
  async status(url) {
    const status = await fleetStatus(url);
    return { lines: fleetLines(status), json: status };
  },
  async cancel(url) {
    const cancelled = await cancelFleet(url);
    return {
      lines: [`${cancelled} jobs cancelled; who works on one stops within seconds`],
      json: { cancelled },
    };
  },
};

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  const action = chosenAction("fleet", ACTIONS, name);
  if (values.fleet === undefined) throw usageError("fleet: want --fleet URL, got none");
  const { lines, json } = await action(fleetUrl(values.fleet as string));
  print(values.json === true ? `${JSON.stringify(json)}\n` : `${lines.join("\n")}\n`);
  return 0;
}

export const fleetCommand: Command = {
  name: "fleet",
  summary: "show a fleet's workers, jobs and dead letters, or cancel what has not ended",
  positionals: ["status|cancel"],
  options: [FLEET_OPTION, { name: "json", summary: "print one line of JSON" }],
  examples: [
    "fleet status --fleet postgres://esper@db/esper",
    "fleet cancel --fleet postgres://esper@db/esper",
  ],
  run,
};

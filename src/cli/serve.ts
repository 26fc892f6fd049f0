/** `serve`: a run that another program trains, or that has ended, as its dashboard. */
import { usageError, UserError } from "../util/errors.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import type { Command, Values } from "./command.ts";
import { readRun } from "./config_file.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";
import { checkOona, OONA } from "./tail.ts";

const DEFAULT_OUT = "runs";
/** How often the logs are looked at. */
const LOOK_MS = 500;

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  if (name === undefined) throw usageError(`serve: want a run, by its folder or its name in ${DEFAULT_OUT}/`);
  const oona = checkOona("serve", values);
  const directory = oona === null ? readRun(name, DEFAULT_OUT, "serve").directory : null;
  const { followLogs } = await import("../app/adapters/run_view.ts");
  const { LiveRun } = await import("../report/dashboard/live.ts");
  const { serveDashboard } = await import("../report/dashboard/server.ts");
  const { addressOf, newToken } = await import("../report/dashboard/dashboard.ts");
  const live = new LiveRun(directory);
  const heard: AnyEnvelope[] = [];
  const read = directory === null ? () => ({ events: heard.splice(0), cut: false }) : followLogs(directory);
  const look = () => {
    const { events, cut } = read();
    if (events.length > 0 || cut) live.take(events, cut);
  };
  look();
  const token = newToken(), port = (values.port ?? 0) as number;
  const dashboard = (() => {
    try {
      return serveDashboard({ run: live, port, token, command: null });
    } catch (error) {
      throw new UserError(`serve: want port ${port}, got: ${(error as Error).message}; give another --port`);
    }
  })();
  print(`${addressOf(dashboard.port, token)}\n`);
  await withInterrupt(() => {}, async (signal) => {
    const ended = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => ended.resolve());
    const timer = setInterval(() => {
      try {
        look();
      } catch (error) {
        ended.reject(error);
      }
    }, LOOK_MS);
    const { followRun } = await import("../app/adapters/follow_run.ts");
    const following = oona === null
      ? null
      : followRun(oona, name, { signal, onAway: printError }, (event) => void heard.push(event));
    following?.catch(ended.reject);
    try {
      await ended.promise;
      await following;
    } finally {
      clearInterval(timer);
      await dashboard.close();
    }
  });
  return 0;
}

export const serve: Command = {
  name: "serve",
  summary:
    "show a run live in the browser, on 127.0.0.1, while another program trains it or after it has ended",
  positionals: ["RUN"],
  options: [
    {
      name: "port",
      value: "N",
      type: "integer",
      range: [1, 65_535],
      summary: "port of 127.0.0.1",
      default: "one that is free",
    },
    OONA,
  ],
  examples: [
    "serve runs/cifar10-1",
    "serve cifar10-1 --port 8080",
    "serve cifar10-1 --oona redis://127.0.0.1:6379",
  ],
  run,
};

/** `train`: the main job. */
import { tmpdir } from "node:os";
import { type ConfigSource, resolveConfig } from "../app/config.ts";
import { BACKEND_CHOICES, type BackendChoice, PROFILE_CHOICES, type ProfileChoice } from "../app/options.ts";
import { PROFILES } from "../contracts/config.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import { createDisplay, type DisplayMode } from "../report/terminal.ts";
import { EXIT_INTERRUPTED, usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { configNames, readConfig, readRun } from "./config_file.ts";
import { withInterrupt } from "./interrupt.ts";
import { columns, isTerminal, print, printError } from "./output.ts";

const DEFAULT_OUT = "runs";

function displayMode(values: Values): DisplayMode {
  if (values.json && values.quiet) throw usageError("train: want --json or --quiet, got both");
  if (values.json) return "json";
  if (values.quiet) return "quiet";
  return isTerminal() ? "line" : "plain";
}

function flagsOf(values: Values): Record<string, unknown> {
  return {
    ...(values.seed !== undefined && { seed: values.seed }),
    ...(values["max-steps"] !== undefined && { train: { maxSteps: values["max-steps"] } }),
  };
}

function newSource(values: Values): ConfigSource {
  if (values.config === undefined) {
    throw usageError(`train: want --config NAME or --resume RUN; configs/ has ${configNames().join(", ")}`);
  }
  const sets = (values.set ?? []) as readonly string[];
  return { file: readConfig(values.config as string), sets, flags: flagsOf(values) };
}

/** Flags that would make the rest of a run another run. */
export const NOT_WITH_RESUME: readonly string[] = ["config", "set", "seed", "profile", "dry-run"];

function resumedSource(values: Values, out: string): { directory: string; config: ConfigSource } {
  const conflict = NOT_WITH_RESUME.find((name) => values[name] !== undefined);
  if (conflict !== undefined) {
    throw usageError(
      `--${conflict}: not together with --resume, which goes on with the run's own configuration`,
    );
  }
  const { directory, config } = readRun(values.resume as string, out);
  return { directory, config: { file: config, sets: [], flags: flagsOf(values) } };
}

/** The dashboard of a run, and the supervisor that it asks for things. */
async function openDashboard(port: number, resumed: string | null, out: string) {
  const { createSupervisor } = await import("../app/supervisor.ts");
  const { startDashboard } = await import("../report/dashboard/dashboard.ts");
  const supervisor = createSupervisor((state) => dashboard.state(state));
  const dashboard = await startDashboard(
    port,
    supervisor.command,
    (reason) => printError(`warning: the dashboard has failed, training goes on: ${reason}`),
  );
  printError(`dashboard: ${dashboard.address}`);
  return {
    supervisor,
    event(event: AnyEnvelope) {
      if (event.topic === "run.started") dashboard.folder(resumed ?? `${out}/${event.payload.run}`);
      dashboard.event(event);
    },
    close: dashboard.close,
  };
}

async function run(values: Values): Promise<number> {
  const mode = displayMode(values);
  if (values["profile-kernels"] && values["dry-run"]) {
    throw usageError(
      "--profile-kernels: not together with --dry-run, which takes one step and writes nothing",
    );
  }
  if (values.dashboard && values["dry-run"]) {
    throw usageError("--dashboard: not together with --dry-run, which is over in a moment");
  }
  if (values.port !== undefined && !values.dashboard) throw usageError("--port: want --dashboard with it");
  const out = (values.out ?? DEFAULT_OUT) as string;
  const resumed = values.resume === undefined ? null : resumedSource(values, out);
  const config = resumed?.config ?? newSource(values);
  const profile = (values.profile ?? "auto") as ProfileChoice;
  // errors in the configuration come before any work, whichever profile the adapter will ask for
  for (const name of PROFILES) if (profile === "auto" || profile === name) resolveConfig(config, name);

  // Vulkan drivers complain on standard error where this is not set, and use it for nothing that matters here
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const display = createDisplay(mode, { write: print, columns });
  const watched = values.dashboard === true
    ? await openDashboard((values.port ?? 0) as number, resumed?.directory ?? null, out)
    : null;
  const { runTraining } = await import("../app/run.ts");
  const { openTracing } = await import("../app/adapters/tracing.ts");
  const tracing = await openTracing();
  const announce = () =>
    printError("\nstopping after this step and writing a checkpoint; Ctrl-C again exits at once");
  const result = await withInterrupt(announce, (signal) =>
    runTraining({
      config,
      profile,
      backend: (values.backend ?? "auto") as BackendChoice,
      out,
      resume: resumed?.directory ?? null,
      dryRun: values["dry-run"] === true,
      profileKernels: values["profile-kernels"] === true,
      unsafeGpu: values["unsafe-gpu"] === true,
      ...values.tuned !== undefined && { tuned: values.tuned as string },
      signal,
      ...watched && { supervisor: watched.supervisor },
      onEvent(event) {
        display.event(event);
        watched?.event(event);
        tracing?.event(event);
      },
      onDownload: display.download,
    })).finally(async () => {
      display.close();
      tracing?.close();
      await watched?.close();
    });
  display.finish(result);
  return result.outcome === "interrupted" ? EXIT_INTERRUPTED : 0;
}

export const train: Command = {
  name: "train",
  summary: "train a network and grow it while it trains",
  options: [
    {
      name: "config",
      value: "NAME",
      words: configNames,
      summary: "configuration: a path or a name in configs/",
      example: "cifar10.json",
    },
    {
      name: "set",
      value: "KEY=VALUE",
      repeatable: true,
      summary: "override one key of the configuration",
      example: "train.batch=128",
    },
    {
      name: "seed",
      value: "N",
      type: "integer",
      range: [0, 0xffff_ffff],
      summary: "seed of everything random",
      default: "the configuration's, 1",
    },
    {
      name: "max-steps",
      value: "N",
      type: "integer",
      range: [1, Number.MAX_SAFE_INTEGER],
      summary: "end after this many optimiser steps",
      default: "until the FLOP budget is spent",
    },
    { name: "out", value: "DIR", summary: "folder in which the run folder is made", default: DEFAULT_OUT },
    {
      name: "backend",
      value: "NAME",
      choices: BACKEND_CHOICES,
      summary: "WebGPU implementation: Deno's own, Dawn, or the better of the two",
      default: "auto",
    },
    {
      name: "profile",
      value: "NAME",
      choices: PROFILE_CHOICES,
      summary: "size of the job; auto: small on a software adapter, full on a GPU",
      default: "auto",
    },
    {
      name: "resume",
      value: "RUN",
      summary: "go on with an interrupted run: its folder, or its name in --out",
      example: "runs/cifar10-1",
    },
    {
      name: "dry-run",
      summary: "show shapes, parameters, FLOPs and memory, take one step, write nothing",
    },
    {
      name: "profile-kernels",
      summary:
        "time each kernel of a training step; a table, and profile.json and trace.json in the run folder",
    },
    {
      name: "tuned",
      value: "FILE",
      summary: "kernel choices that tune-kernels wrote, or none; other choices may give other last bits",
      default: "configs/tuned/<adapter>.json if there",
    },
    {
      name: "unsafe-gpu",
      summary:
        "take the bounds checks out of kernels (Dawn only): faster, and a faulty kernel may corrupt results",
    },
    {
      name: "dashboard",
      summary:
        "show the run live in the browser, on 127.0.0.1; pause it there, ask for actions or forbid them",
    },
    {
      name: "port",
      value: "N",
      type: "integer",
      range: [1, 65_535],
      summary: "port of the dashboard",
      default: "one that is free",
    },
    { name: "quiet", summary: "print warnings and the final table only" },
    { name: "json", summary: "print every event as a line of JSON" },
  ],
  examples: [
    "--config cifar10.json",
    "--config cifar10.json --profile small --max-steps 500 --set controller.kind=off",
    "--config spirals --seed 7 --out /tmp/runs",
    "--config cifar10.json --max-steps 20 --set controller.kind=off --profile-kernels",
    "--config cifar10.json --dashboard",
    "--resume runs/cifar10-1",
  ],
  run,
};

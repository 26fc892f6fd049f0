/** Runs a run again by its log: the actions that were logged, not the controller's. */
import type { RunConfig } from "../contracts/config.ts";
import type { Controller } from "../contracts/control.ts";
import type { LogLine } from "../contracts/events.ts";
import { createMemoryStore } from "../urza/mod.ts";
import { UserError } from "../util/errors.ts";
import { finiteOrText } from "../util/json.ts";
import { resolveConfig } from "./config.ts";
import { hostOfRun } from "./kept_host.ts";
import { buildNetwork } from "./network.ts";
import { edgesIn, formatLine, parseLog } from "./log_lines.ts";
import type { BackendChoice } from "./options.ts";
import type { RunFiles } from "./run_files.ts";
import { createSession } from "./session.ts";
import { runChoices, USED_FILE } from "./tuned_kernels.ts";

export interface ReplayOptions {
  /** The run folder; nothing in it is changed. */
  readonly directory: string;
  readonly backend: BackendChoice;
  readonly signal: AbortSignal;
}

export interface ReplayReport {
  readonly steps: number;
  readonly ticks: number;
  readonly actions: number;
  readonly vetoes: number;
  readonly rollbacks: number;
  /** SHA-256 of the final weights, as recorded and as reproduced. */
  readonly weights: string;
}

/** Steps that a run took in one go under one limit. */
interface Leg {
  readonly until: number;
  readonly maxSteps: number | null;
}

/** What a log must tell again, in its order. Times, durations and what depends on an interruption are left out. */
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  "tick.report": ["tick", "step", "progress", "trainLoss", "controlLoss", "decision"],
  "seed.edge": ["tick", "step", "slot", "seed", "blueprint", "from", "to", "reason", "evidence"],
  "action.vetoed": ["tick", "step", "action", "reason", "evidence"],
  "governor.rollback": ["tick", "step", "reason", "restoredStep", "slots", "rollbacks"],
};

/** The part of a log that a replay must repeat, as texts by topic. */
function told(lines: readonly LogLine[]): Map<string, { step: number; text: string }[]> {
  return new Map(
    Object.entries(COMPARED).map(([topic, keys]) => [
      topic,
      lines.flatMap((line) => {
        if (line.topic !== topic || !("step" in line)) return [];
        const compared = Object.entries(line).filter(([key]) => keys.includes(key));
        return [{ step: line.step, text: JSON.stringify(Object.fromEntries(compared), finiteOrText) }];
      }),
    ]),
  );
}

/** The earliest line in which two logs differ; null where they tell the same. */
function firstDifference(recorded: readonly LogLine[], repeated: readonly LogLine[]): string | null {
  const want = told(recorded), got = told(repeated);
  const found = Object.keys(COMPARED).flatMap((topic) => {
    const a = want.get(topic)!, b = got.get(topic)!;
    const k = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i)
      .find((i) => a[i]?.text !== b[i]?.text);
    if (k === undefined) return [];
    const step = Math.min(a[k]?.step ?? Infinity, b[k]?.step ?? Infinity);
    return [{ step, text: `${topic}: want ${a[k]?.text ?? "none"}, got ${b[k]?.text ?? "none"}` }];
  });
  return found.sort((a, b) => a.step - b.step)[0]?.text ?? null;
}

/** Answers at each tick what the log says was decided then. */
function loggedController(kind: Controller["kind"], lines: readonly LogLine[]): Controller {
  const decisions = new Map(
    lines.flatMap((line) => line.topic === "tick.report" ? [[line.tick, line.decision] as const] : []),
  );
  return {
    kind,
    decide({ tick }) {
      const decision = decisions.get(tick);
      if (decision) return decision;
      throw new UserError(
        `replay: want a decision at tick ${tick}, got none in metrics.jsonl; it is incomplete`,
      );
    },
    save: () => null,
    restore() {},
  };
}

/** Each resumption begins a leg, as a limit of steps, which decisions depend on, may change with it. */
function legsOf(lines: readonly LogLine[], last: number): Leg[] {
  const starts = lines.filter((line) => line.topic === "run.started");
  return starts.map(({ maxSteps }, k) => ({ maxSteps, until: starts[k + 1]?.resumedAt ?? last }))
    .filter((leg, k, legs) => legs[k + 1]?.maxSteps !== leg.maxSteps);
}

/** A run's files in memory. */
function memoryFiles(lines: LogLine[]): RunFiles {
  return {
    store: createMemoryStore(),
    syncLogs: () => ({}),
    truncateLogs() {},
    edges: () => edgesIn(lines),
    record: (event) => void lines.push(...parseLog(formatLine(event), "replay")),
  };
}

/**
 * Repeats a run in memory, rollbacks and vetoes included, and compares what it tells and its final weights.
 *
 * @throws {UserError} where the folder holds no run that ended, or the replay comes to anything else than the run did.
 */
export async function replayRun({ directory, backend, signal }: ReplayOptions): Promise<ReplayReport> {
  const { openGpu } = await import("./adapters/open_gpu.ts");
  const { loadDataset } = await import("./adapters/load_dataset.ts");
  const { openRun } = await import("./adapters/export_files.ts");
  const { readRunRecord } = await import("./adapters/run_record.ts");
  const { config: file, record, kernels: used, lines } = readRunRecord(directory, USED_FILE);
  const end = lines.findLast((line) => line.topic === "run.finished");
  if (!end || end.weights === null) {
    throw new UserError(
      `replay: want a run that ended, got ${directory} without the hash of its final weights in events.jsonl; ` +
        `go on with it: --resume ${directory}`,
    );
  }
  const config = resolveConfig({ file, sets: [], flags: {} }, record.profile);
  const data = await loadDataset(config.data, config.seed, { signal });
  if (data.dataset.sha256 !== record.dataset.sha256) {
    throw new UserError(
      `replay: want ${record.dataset.name} with SHA-256 ${record.dataset.sha256}, got ${data.dataset.name} with ` +
        `${data.dataset.sha256}; give the run its own data`,
    );
  }
  const from = await hostOfRun(config.host, openRun(directory).store, directory);
  const gpu = await openGpu(backend, record.unsafeGpu);
  const repeated: LogLine[] = [];
  try {
    const choices = runChoices(used, null);
    const files = memoryFiles(repeated);
    const controller = loggedController(config.controller.kind, lines);
    let weights: string | null = null;
    for (const [k, { maxSteps, until }] of legsOf(lines, end.step).entries()) {
      const { maxSteps: _, ...train } = config.train;
      const limited: RunConfig = { ...config, train: { ...train, ...maxSteps !== null && { maxSteps } } };
      const session = createSession({
        config: limited,
        gpu,
        data,
        network: buildNetwork(limited, data.dataset.shape, data.dataset.classes.length, from),
        folder: files,
        onEvent() {},
        kernels: { choose: choices.choose, save() {} },
        controller,
      });
      try {
        await session.start(k > 0);
        await session.trainer.run(signal, until);
        signal.throwIfAborted();
        if (session.trainer.finished) await session.trainer.save();
        await session.bus.drain();
        weights = session.weights;
      } finally {
        await session.destroy();
      }
    }
    const difference = firstDifference(lines, repeated);
    if (weights !== end.weights || difference) {
      const elsewhere = record.adapter.description === gpu.adapter.description
        ? ""
        : `; recorded on ${record.adapter.description}, replayed on ${gpu.adapter.description}, which may round otherwise`;
      throw new UserError(
        `replay: want weights ${end.weights} at step ${end.step}, got ${weights}; ` +
          `${difference ?? "the logs tell the same"}${elsewhere}`,
      );
    }
    const count = (topic: string) => lines.filter((line) => line.topic === topic).length;
    const actions = lines.filter((line) =>
      line.topic === "tick.report" && line.decision.action.kind !== "wait"
    ).length;
    return {
      steps: end.step,
      ticks: count("tick.report"),
      actions,
      vetoes: count("action.vetoed"),
      rollbacks: count("governor.rollback"),
      weights: end.weights,
    };
  } finally {
    gpu.destroy();
  }
}

import type { RunConfig } from "../contracts/config.ts";
import type { Payloads } from "../contracts/events.ts";
import type { Calibration } from "../tamiyo/simulator/calibration.ts";
import { fitEffects, type LoggedRun } from "../tamiyo/simulator/fit.ts";
import { modeOf } from "../tolaria/mod.ts";
import { sha256 } from "../util/hash.ts";
import { termsOf } from "./simulation.ts";

/** What a run left behind. */
export interface RunRecord {
  readonly config: RunConfig;
  readonly reports: readonly Pick<Payloads["tick.report"], "tick" | "progress" | "controlLoss" | "slots">[];
  /** The files themselves, for their hash. */
  readonly text: string;
}

/** Fits the simulator to logged runs of one host on one data set. A tick that a rollback repeats counts once. */
export async function calibrate(records: readonly RunRecord[]): Promise<Calibration> {
  const [{ config: first }] = records;
  const runs = records.map(({ config, reports }): LoggedRun => ({
    terms: termsOf(config),
    modeOf: (stage) => modeOf(stage, config.growth.incubation),
    ticks: [...new Map(reports.map((report) => [report.tick, report])).values()]
      .map(({ progress, controlLoss, slots }) => ({ progress, controlLoss: controlLoss!, slots })),
  }));
  const { effects, residual, seeds } = fitEffects(runs);
  return {
    effects,
    data: {
      sha256: await sha256(records.map(({ text }) => text).join("\n")),
      runs: runs.length,
      ticks: runs.reduce((sum, { ticks }) => sum + ticks.length, 0),
      seeds,
      dataset: first.data.kind,
      host: first.host.kind === "cnn" ? `cnn ${first.host.channels.join("-")}` : first.host.kind,
      budgetGflop: first.train.budgetGflop,
    },
    residual,
  };
}

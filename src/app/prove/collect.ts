import type { ArmTimes, CompletedArm } from "../../contracts/proof.ts";
import type { LogLine } from "../../contracts/events.ts";
import { edgesIn } from "../log_lines.ts";
import type { ArmReply } from "./run_arm.ts";

type Report = Extract<LogLine, { topic: "tick.report" }>;

/** Ticks as they went in the end: those that a rollback took back are told again later. */
function reportsOf(lines: readonly LogLine[]): Report[] {
  const reports: Report[] = [];
  for (const line of lines) {
    if (line.topic !== "tick.report") continue;
    while (reports.length > 0 && reports[reports.length - 1].tick >= line.tick) reports.pop();
    reports.push(line);
  }
  return reports;
}

/** What a completed run is to the proof: its scores, and from its logs the curve, what was decided and what became of it. */
export function outcomeOf(reply: ArmReply, lines: readonly LogLine[]): CompletedArm {
  const { steps, flops, weights, host, grown, after, test } = reply;
  const reports = reportsOf(lines);
  return {
    status: "completed",
    ...{ steps, flops, host, grown },
    weights: weights!,
    validation: { loss: after!.loss, accuracy: after!.accuracy },
    test: { loss: test!.loss, accuracy: test!.accuracy },
    curve: [
      ...reports.flatMap(({ tick, step, validation }) => validation ? [{ tick, step, ...validation }] : []),
      {
        ...{ tick: reports.length + 1, step: steps, flops, params: grown.params },
        ...{ loss: after!.loss, accuracy: after!.accuracy },
      },
    ],
    trace: reports.map(({ tick, trainLoss, controlLoss }) => ({
      tick,
      train: trainLoss,
      control: controlLoss,
    })),
    edges: edgesIn(lines).map(({ tick, step, slot, blueprint, from, to }) => (
      { tick, step, slot, blueprint, from, to }
    )),
    decisions: reports.flatMap(({ tick, decision: { action } }) => {
      if (action.kind === "wait") return [];
      const { kind, slot, ...rest } = action;
      return [{ tick, action: kind, slot, ...rest }];
    }),
  };
}

/** What the clock told of the same run. */
export function timesOf(
  { arm, seed }: Pick<ArmTimes, "arm" | "seed">,
  { seconds, compilerFlops, notices }: ArmReply,
  lines: readonly LogLine[],
): ArmTimes {
  const start = lines.find(({ topic }) => topic === "run.started")?.time ?? 0;
  const at = reportsOf(lines).filter(({ validation }) => validation).map(({ time }) => (time - start) / 1000);
  return { arm, seed, seconds, compilerFlops, curve: [...at, seconds], notices: [...notices] };
}

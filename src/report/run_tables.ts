/** A run's numbers for other programs: CSV and TensorBoard's event files. */
import { encodeFileVersion, encodeScalars } from "../engine/io/tensorboard.ts";
import type { Story } from "./story.ts";

/** Numbers of one step, by name. */
interface Row {
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Readings of training and ticks, by step; names are those of TensorBoard's tags. What was not measured is left out. */
function rowsOf({ metrics, ticks, finished }: Story): Row[] {
  const known = (values: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(values).filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => [name, Number(value)]),
    );
  return [
    ...metrics.map(({ step, time, loss, accuracy, learningRate, imagesPerSecond, flops }) => ({
      step,
      time,
      values: known({
        "train/loss": loss,
        "train/accuracy": accuracy,
        "train/learning_rate": learningRate,
        "train/examples_per_second": imagesPerSecond,
        "train/flops": flops,
      }),
    })),
    ...ticks.map(({ step, time, controlLoss, slots }) => ({
      step,
      time,
      values: known({
        "control/loss": controlLoss,
        ...Object.fromEntries(slots.flatMap(({ slot, alpha, advantage }) => [
          [`alpha/${slot}`, alpha],
          [`advantage/${slot}`, advantage?.mean],
        ])),
      }),
    })),
    ...finished
      ? [{
        step: finished.step,
        time: finished.time,
        values: known({ "test/loss": finished.loss, "test/accuracy": finished.accuracy }),
      }]
      : [],
  ].sort((a, b) => a.step - b.step || a.time - b.time);
}

const quoted = (cell: string) => /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

/** A line a reading, a column a number (RFC 4180); what was not measured then is empty. */
export function runCsv(story: Story): string {
  const rows = rowsOf(story);
  const names = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const lines = rows.map((
    { step, time, values },
  ) => [String(step), new Date(time).toISOString(), ...names.map((name) => String(values[name] ?? ""))]);
  return [["step", "time", ...names], ...lines].map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

/** An event file of TensorBoard's. */
export function runTensorBoard(story: Story): Uint8Array<ArrayBuffer> {
  const rows = rowsOf(story);
  const first = story.started?.time ?? rows[0]?.time ?? 0;
  const parts = [
    encodeFileVersion(first / 1000),
    ...rows.map(({ step, time, values }) => encodeScalars({ step, time: time / 1000, scalars: values })),
  ];
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

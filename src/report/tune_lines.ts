/** What `tune-kernels` prints at its end. */
import type { TuneResult } from "../app/tune.ts";
import type { ContestResult } from "../engine/tune/tune.ts";
import { formatNumber } from "./format.ts";
import { renderTable } from "./table.ts";

const micros = (seconds: number) => formatNumber(seconds * 1e6);

function rowOf({ key, times, winner }: ContestResult): string[] {
  const [standard] = times;
  const best = times.find(({ id }) => id === winner)!;
  const others = times.filter(({ id }) => id !== winner && id !== standard.id).sort((a, b) =>
    a.seconds - b.seconds
  );
  return [
    key,
    winner,
    micros(best.seconds),
    winner === standard.id ? "chosen" : `${standard.id} ${micros(standard.seconds)}`,
    others.map(({ id, seconds }) => `${id} ${micros(seconds)}`).join(", "),
  ];
}

/** Lines of the table: for each operation the variant chosen, and the times of the others in µs. */
export function tuneLines({ adapter, path, results }: TuneResult): string[] {
  const changed = results.filter(({ times, winner }) => winner !== times[0].id);
  const sum = (pick: (result: ContestResult) => number) =>
    results.reduce((total, result) => total + pick(result), 0);
  const before = sum(({ times }) => times[0].seconds);
  const after = sum(({ times, winner }) => times.find(({ id }) => id === winner)!.seconds);
  return [
    ...renderTable(["operation", "chosen", "time µs", "default, µs", "others, µs"], results.map(rowOf)),
    "",
    `${adapter}: ${changed.length} of ${results.length} operations have a faster kernel than the default; ` +
    `each once, they take ${micros(after)} µs instead of ${micros(before)}`,
    `written to ${path}; runs on this adapter use it`,
  ];
}

// Does growth pay? Per seed: the host without growth, a run that grows as the configuration says, and one that grows with
// shadow incubation, all to the same total FLOPs (the ledger counts everything: shadow passes, evaluations, failed seeds).
// Prints a table and the paired differences.
//
//   deno run -A bench/growth.ts [--config cifar10.json] [--profile small] [--seeds 5] [--first 1] [--arms host,grown,shadow]
//     [--backend auto] [--set a.b=value]
import { parseArgs } from "node:util";
import type { BackendChoice, ProfileChoice } from "../src/app/options.ts";
import { runTraining } from "../src/app/run.ts";
import { readConfig } from "../src/cli/config_file.ts";
import { renderTable } from "../src/report/table.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    config: { type: "string", default: "cifar10.json" },
    profile: { type: "string", default: "small" },
    backend: { type: "string", default: "auto" },
    seeds: { type: "string", default: "5" },
    first: { type: "string", default: "1" },
    arms: { type: "string", default: "host,grown,shadow" },
    set: { type: "string", multiple: true, default: [] },
  },
});

/** What each arm changes in the configuration. */
const ARMS = {
  host: ["controller.kind=off"],
  grown: [],
  shadow: ["growth.incubation=shadow"],
} as const;

/** Two-sided 95 % quantiles of Student's t, by degrees of freedom. */
const T95 = [NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

const out = await Deno.makeTempDir({ prefix: "esper-growth-" });
const results: {
  seed: number;
  arm: string;
  params: number;
  gflop: number;
  loss: number;
  accuracy: number;
}[] = [];
let machine = "";
const arms = values.arms.split(",") as (keyof typeof ARMS)[];
for (let seed = Number(values.first), last = seed + Number(values.seeds); seed < last; seed++) {
  for (const arm of arms) {
    const sets = ARMS[arm];
    const result = await runTraining({
      config: { file: readConfig(values.config), sets: [...values.set, ...sets], flags: { seed } },
      profile: values.profile as ProfileChoice,
      backend: values.backend as BackendChoice,
      out,
      resume: null,
      dryRun: false,
      signal: new AbortController().signal,
      onEvent: () => {},
    });
    const { loss, accuracy } = result.test!;
    machine = `${result.adapter}, ${result.dataset}, profile ${result.profile}`;
    results.push({ seed, arm, params: result.grown.params, gflop: result.flops / 1e9, loss, accuracy });
    const fates = result.seeds.map((s) => `${s.slot}:${s.blueprint}:${s.stage.toLowerCase()}`).join(" ");
    console.log(
      `seed ${seed} ${arm}: validation ${(100 * result.after!.accuracy).toFixed(2)} %, test accuracy ${
        (100 * accuracy).toFixed(2)
      } %, loss ${loss.toFixed(4)}, ` +
        `${result.grown.params} parameters, ${(result.flops / 1e9).toFixed(1)} GFLOP, ${
          result.seconds.toFixed(0)
        } s ${fates}`,
    );
  }
}
await Deno.remove(out, { recursive: true });

const of = (arm: string) => results.filter((row) => row.arm === arm);
const mean = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

function difference(arm: string, pick: (row: typeof results[number]) => number): string {
  const differences = of(arm).map((row, k) => pick(row) - pick(of("host")[k]));
  const n = differences.length, average = mean(differences);
  const sd = Math.sqrt(differences.reduce((sum, d) => sum + (d - average) ** 2, 0) / (n - 1));
  const half = (T95[n - 1] ?? 2) * sd / Math.sqrt(n);
  const wins = differences.filter((d) => d > 0).length;
  return `${average.toFixed(4)} (95 % CI ${(average - half).toFixed(4)} to ${(average + half).toFixed(4)}; ` +
    `positive in ${wins} of ${n})`;
}

console.log(`\n${machine}, Deno ${Deno.version.deno}`);
console.log(
  renderTable(
    ["arm", "test accuracy %", "test loss", "parameters", "GFLOP"],
    arms.map((arm) => [
      arm,
      (100 * mean(of(arm).map((row) => row.accuracy))).toFixed(2),
      mean(of(arm).map((row) => row.loss)).toFixed(4),
      mean(of(arm).map((row) => row.params)).toFixed(0),
      mean(of(arm).map((row) => row.gflop)).toFixed(1),
    ]),
  ).join("\n"),
);
for (const arm of arms.filter((arm) => arm !== "host" && arms.includes("host"))) {
  console.log(`${arm} − host, accuracy in points: ${difference(arm, (row) => 100 * row.accuracy)}`);
  console.log(`${arm} − host, loss in nats: ${difference(arm, (row) => row.loss)}`);
}

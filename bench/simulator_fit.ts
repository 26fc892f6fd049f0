/**
 * Fits the simulator to the logs of runs and writes what it found: `deno run -A bench/simulator_fit.ts FOLDER [FILE]`, where FOLDER
 * holds run folders of one host and data set.
 */
import { calibrate } from "../src/app/calibrate.ts";
import { RunConfig } from "../src/contracts/config.ts";
import type { Payloads } from "../src/contracts/events.ts";

const [folder, file = "src/app/calibration.json"] = Deno.args;
const names = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name)
  .sort();
const runs = names.map((name) => {
  const metrics = Deno.readTextFileSync(`${folder}/${name}/metrics.jsonl`);
  const config = Deno.readTextFileSync(`${folder}/${name}/config.json`);
  const reports = metrics.trim().split("\n").map((line) =>
    JSON.parse(line) as { topic: string } & Payloads["tick.report"]
  )
    .filter(({ topic }) => topic === "tick.report");
  return { text: `${name}\n${config}${metrics}`, config: RunConfig.parse(JSON.parse(config)), reports };
});
const calibration = await calibrate(runs);
Deno.writeTextFileSync(file, `${JSON.stringify(calibration, null, 2)}\n`);
console.log(
  `${file}: ${calibration.data.runs} runs, ${calibration.data.seeds} seeds; residual`,
  calibration.residual,
);

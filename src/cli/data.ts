/** `data`: data sets on this machine. */
import type { DownloadProgress } from "../app/options.ts";
import { downloadLine } from "../report/download_line.ts";
import { formatBytes } from "../report/format.ts";
import { EXIT_FAILURE, usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import { chosenAction } from "./actions.ts";
import type { Command } from "./command.ts";
import { withInterrupt } from "./interrupt.ts";
import { isTerminal, print, printError } from "./output.ts";

async function known(names: readonly string[]): Promise<string[]> {
  const { IMAGE_SETS } = await import("../app/adapters/doctor.ts");
  const all = Object.keys(IMAGE_SETS);
  const wrong = names.find((name) => !all.includes(name));
  if (wrong !== undefined) throw usageError(`data: no data set "${wrong}"${suggestion(wrong, all)}`);
  return names.length === 0 ? all : [...names];
}

/** The line of a download, redrawn where the output is a terminal; elsewhere the last alone. */
function progress(): (at: DownloadProgress) => void {
  let told = 0;
  return (at) => {
    const now = performance.now(), whole = at.done === at.total;
    if (!whole && (!isTerminal() || now - told < 100)) return;
    told = now;
    print(`${isTerminal() ? "\r\x1b[2K" : ""}${downloadLine(at)}${whole ? "\n" : ""}`);
  };
}

/** Reads the data sets, and downloads what is not there and can be had. */
async function get(names: readonly string[]): Promise<number> {
  if (names.length === 0) throw usageError("data get: want a data set such as cifar10, got none");
  const { IMAGE_SETS } = await import("../app/adapters/doctor.ts");
  const { CIFAR10_SOURCE } = await import("../app/adapters/cifar10_files.ts");
  for (const name of await known(names)) {
    if (name === "cifar10") {
      const { address, sha256 } = CIFAR10_SOURCE;
      print(
        `cifar10: where it is not there, from ${address}, ${formatBytes(170_052_171)}, SHA-256 ${sha256}\n`,
      );
    }
    const announce = () => printError("\nstopping; what came so far is removed");
    const { dataset, remark } = await withInterrupt(
      announce,
      (signal) => IMAGE_SETS[name](undefined, { signal, onProgress: progress() }),
    );
    const count = dataset.train.count + dataset.test.count;
    print(`${name}: ${count} examples, SHA-256 ${dataset.sha256}${remark === null ? "" : `; ${remark}`}\n`);
  }
  return 0;
}

/** Reads the data sets that are there. One that is not there is a failure only where it was asked for by name. */
async function verify(names: readonly string[]): Promise<number> {
  const { findData } = await import("../app/adapters/doctor.ts");
  let failures = 0;
  for (const name of await known(names)) {
    const { state, text, cure } = await findData(name);
    if (state === "failed" || state === "note" && names.length > 0) failures++;
    print(`${name}: ${text}${cure === null ? "" : `\n  → ${cure}`}\n`);
  }
  return failures === 0 ? 0 : EXIT_FAILURE;
}

const ACTIONS = { get, verify } as const;

export const data: Command = {
  name: "data",
  summary: "download a data set (get), or read what is there from end to end (verify)",
  positionals: ["get|verify", "[DATASET...]"],
  options: [],
  examples: ["data verify", "data get cifar10"],
  run: (_values, [name, ...names]) => chosenAction("data", ACTIONS, name)(names),
};

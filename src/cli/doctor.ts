/** `doctor`: is everything there that training needs? */
import { tmpdir } from "node:os";
import { BACKEND_CHOICES, type BackendChoice } from "../app/options.ts";
import { EXIT_FAILURE } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { print } from "./output.ts";

const MARKS = { ok: "ok    ", note: "note  ", failed: "FAILED" } as const;

async function run(values: Values): Promise<number> {
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { examine } = await import("../app/adapters/doctor.ts");
  const options = {
    backend: (values.backend ?? "auto") as BackendChoice,
    out: (values.out ?? "runs") as string,
    ...values.policy !== undefined && { policy: values.policy as string },
  };
  let failures = 0;
  for await (const finding of examine(options)) {
    const { what, state, text, cure } = finding;
    if (state === "failed") failures++;
    if (values.json) print(`${JSON.stringify(finding)}\n`);
    else print(`${MARKS[state]}  ${what}: ${text}\n${cure === null ? "" : `        → ${cure}\n`}`);
  }
  if (!values.json) {
    print(failures === 0 ? "nothing is in the way of training\n" : `${failures} in the way of training\n`);
  }
  return failures === 0 ? 0 : EXIT_FAILURE;
}

export const doctor: Command = {
  name: "doctor",
  summary:
    "check adapter, features, limits, a kernel, disk, data sets and policy file, and say what cures a failure",
  options: [
    {
      name: "backend",
      value: "NAME",
      choices: BACKEND_CHOICES,
      summary: "WebGPU implementation to check",
      default: "auto",
    },
    { name: "out", value: "DIR", summary: "folder in which runs are made", default: "runs" },
    {
      name: "policy",
      value: "FILE",
      summary: "policy file to check",
      default: "the one that comes with Esper",
    },
    { name: "json", summary: "print a line of JSON a check" },
  ],
  examples: ["doctor", "doctor --backend dawn"],
  run,
};

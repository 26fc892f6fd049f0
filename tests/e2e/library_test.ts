/** Training as a program of the user's calls it. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { RunOptions, RunResult } from "../../src/app/options.ts";
import { runTraining } from "../../src/app/run.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import { tinyConfig } from "../support/session.ts";
import { runDeno } from "../support/subprocess.ts";
import { ENVIRONMENT } from "./program.ts";

/** Trains a tiny run into a folder that is removed afterwards; `look` sees what is in it. */
async function train<T>(
  changes: object,
  options: Partial<RunOptions>,
  look: (run: Promise<RunResult>, events: AnyEnvelope[], root: string) => Promise<T>,
): Promise<T> {
  const root = await Deno.makeTempDir();
  const events: AnyEnvelope[] = [];
  try {
    const run = runTraining({
      config: { file: tinyConfig("points", changes), sets: [], flags: {} },
      profile: "small",
      backend: "native",
      out: root,
      resume: null,
      dryRun: false,
      signal: new AbortController().signal,
      ...options,
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    });
    return await look(run, events, root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("runTraining() calls hooks, and a signal that a hook aborts ends the run after that step", async () => {
  const controller = new AbortController();
  const calls: string[] = [];
  const hooks = [{
    onStep(step: number) {
      if (step === 6) controller.abort();
    },
    onTick: (tick: number) => void calls.push(`tick ${tick}`),
    onStop: (outcome: string) => void calls.push(outcome),
  }];
  await train({}, { hooks, signal: controller.signal }, async (run) => {
    const { outcome, steps } = await run;
    assertEquals([outcome, steps, calls], ["interrupted", 6, ["tick 1", "interrupted"]]);
  });
});

Deno.test("runTraining() fails with the name of a hook that throws, after the others heard of the failure", async () => {
  const heard: string[] = [];
  const hooks = [
    {
      name: "plotter",
      onTick(tick: number) {
        if (tick === 2) throw new Error("no paper");
      },
    },
    { onStop: (outcome: string) => void heard.push(outcome) },
  ];
  await train({}, { hooks }, async (run, events) => {
    const error = await assertRejects(() => run, Error);
    assertEquals(
      error.message,
      "hook onTick of plotter: want it to return, got Error: no paper; mend it and go on with the last checkpoint",
    );
    assertEquals(heard, ["failed"]);
    const last = events.at(-1)!;
    assert(last.topic === "run.finished" && last.payload.reason === "failed" && last.payload.step === 8);
  });
});

Deno.test("README's program with hooks runs as it stands", async () => {
  const root = await Deno.makeTempDir();
  try {
    const readme = await Deno.readTextFile("README.md");
    const [, program] = readme.match(/```ts\n(import \{ runTraining \}[^]*?)```/)!;
    const here = new URL("../../", import.meta.url).href;
    await Deno.writeTextFile(
      `${root}/program.ts`,
      program.replaceAll('from "./', `from "${here}`).replace('"runs"', JSON.stringify(`${root}/runs`)),
    );
    const { code, stdout, stderr } = await runDeno(
      ["--config", "deno.json", `${root}/program.ts`],
      ENVIRONMENT,
    );
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^(.+: \w+ to \w+\n)*interrupted\n300 steps, .*\/runs\/spirals-1\n$/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

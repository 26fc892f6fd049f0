/** A thread that runs arms, one after the other, on a device of its own. Started by `arm_worker.ts`. */
import { UserError } from "../../util/errors.ts";
import { createRunner } from "../prove/run_arm.ts";
import type { ArmAnswer, ArmOrder } from "./arm_protocol.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<ArmOrder>) => void;
  postMessage(answer: ArmAnswer): void;
};

const runner = createRunner();
let running: AbortController | null = null;

scope.onmessage = async ({ data }) => {
  if ("stop" in data) {
    running?.abort();
    return;
  }
  running = new AbortController();
  try {
    scope.postMessage({ reply: await runner.run(data.run, running.signal) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ error: { message, exitCode: error instanceof UserError ? error.exitCode : null } });
  }
};

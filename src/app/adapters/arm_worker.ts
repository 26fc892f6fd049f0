import { UserError } from "../../util/errors.ts";
import type { ArmReply, ArmRunner } from "../prove/run_arm.ts";
import type { ArmAnswer, ArmOrder } from "./arm_protocol.ts";

/** A runner on a thread of its own, with a device of its own on the same adapter. */
export function createThreadRunner(): ArmRunner {
  const worker = new Worker(new URL("./arm_thread.ts", import.meta.url), { type: "module" });
  const order = (message: ArmOrder) => worker.postMessage(message);
  return {
    async run(request, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<ArmReply>();
      worker.onmessage = ({ data }: MessageEvent<ArmAnswer>) => {
        if ("reply" in data) return resolve(data.reply);
        const { message, exitCode } = data.error;
        reject(exitCode === null ? new Error(message) : new UserError(message, { exitCode }));
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(
          new UserError(`prove: a thread that runs arms has failed: ${event.message}; go on with --resume`),
        );
      };
      const stop = () => order({ stop: true });
      signal.addEventListener("abort", stop, { once: true });
      try {
        order({ run: request });
        if (signal.aborted) stop();
        return await promise;
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
    close: () => worker.terminate(),
  };
}

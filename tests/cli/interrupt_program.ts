/** Waits under `withInterrupt`; says when it is ready, when it was told to stop, and when it has. */
import { withInterrupt } from "../../src/cli/interrupt.ts";
import { EXIT_INTERRUPTED } from "../../src/util/errors.ts";

const stubborn = Deno.args.includes("stubborn");
await withInterrupt(() => console.log("stopping"), async (signal) => {
  const timer = setInterval(() => {}, 1000);
  console.log("ready");
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => stubborn || resolve());
  });
  clearInterval(timer);
});
console.log("finished");
Deno.exitCode = EXIT_INTERRUPTED;

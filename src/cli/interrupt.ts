import { EXIT_INTERRUPTED } from "../util/errors.ts";

/**
 * Runs `work` with a signal that the first Ctrl-C (or SIGTERM) aborts; a second one ends the program at once with 130.
 * `announce` is called at the first.
 */
export async function withInterrupt<T>(
  announce: () => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) Deno.exit(EXIT_INTERRUPTED);
    controller.abort();
    announce();
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  signals.forEach((signal) => Deno.addSignalListener(signal, onSignal));
  try {
    return await work(controller.signal);
  } finally {
    signals.forEach((signal) => Deno.removeSignalListener(signal, onSignal));
  }
}

import type { SupervisorCommand, SupervisorState } from "../../app/supervisor.ts";
import type { AnyEnvelope } from "../../contracts/events.ts";
import { UserError } from "../../util/errors.ts";
import type { FromDashboard, ToDashboard } from "./protocol.ts";

/** A run that is shown while it trains. */
export interface LiveDashboard {
  /** Where it is to be seen, token included. */
  readonly address: string;
  event(event: AnyEnvelope): void;
  state(state: SupervisorState): void;
  /** Tells in which folder the run writes. */
  folder(directory: string): void;
  /** Shows the end to whoever watches, and stops. */
  close(): Promise<void>;
}

/** A token that cannot be guessed, of letters that an address may have. */
export function newToken(): string {
  return [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

export const addressOf = (port: number, token: string) => `http://127.0.0.1:${port}/?token=${token}`;

/**
 * Starts the thread that shows a run; `command` gets what someone asks of it, `onFailure` why it shows no more.
 *
 * @throws {UserError} where nothing can be served there.
 */
export async function startDashboard(
  port: number,
  command: (asked: SupervisorCommand) => void,
  onFailure: (reason: string) => void,
): Promise<LiveDashboard> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url).href, {
    type: "module",
    name: "dashboard",
  });
  const say = (message: ToDashboard) => worker.postMessage(message);
  const serving = Promise.withResolvers<number>(), closed = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<FromDashboard>) => {
    if (data.kind === "command") command(data.asked);
    if (data.kind === "serving") serving.resolve(data.port);
    if (data.kind === "closed") closed.resolve();
    if (data.kind === "failed") {
      serving.reject(
        new UserError(`--dashboard: want port ${port}, got: ${data.reason}; give another --port`),
      );
    }
  };
  // A dashboard that fails ends with a word, and training goes on.
  worker.onerror = (event) => {
    event.preventDefault();
    serving.reject(new Error(`dashboard: ${event.message}`));
    closed.resolve();
    onFailure(event.message);
  };
  const token = newToken();
  say({ kind: "serve", port, token });
  try {
    const address = addressOf(await serving.promise, token);
    return {
      address,
      event: (event) => say({ kind: "event", event }),
      state: (state) => say({ kind: "state", state }),
      folder: (directory) => say({ kind: "folder", directory }),
      async close() {
        say({ kind: "close" });
        await closed.promise;
        worker.terminate();
      },
    };
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

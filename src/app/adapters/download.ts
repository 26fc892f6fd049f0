import type { DownloadProgress } from "../options.ts";
import { createHash } from "node:crypto";
import { UserError } from "../../util/errors.ts";
import { messageOf } from "./source_folder.ts";

/** What to fetch and what it must hash to. */
export interface Download {
  address: string;
  /** In hex. */
  sha256: string;
  /** Longest wait for the server's answer. */
  connectTimeoutMs: number;
  /** Longest wait for the next bytes. */
  stallTimeoutMs: number;
}

/**
 * Fetches a file to `path`, checking length and SHA-256 as it streams by. Whatever fails, nothing is left at `path`.
 *
 * @throws a one-line `UserError` for no connection, no answer, a status other than 200, a broken-off or wrong body.
 */
export async function download(
  what: Download,
  path: string,
  onProgress: (progress: DownloadProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<void> {
  const watchdog = startWatchdog(what.connectTimeoutMs, signal);
  try {
    const response = await answer(what, watchdog);
    using file = await Deno.open(path, { write: true, createNew: true });
    await receive(what, response, file, watchdog, onProgress);
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    signal?.throwIfAborted();
    throw error;
  } finally {
    watchdog.stop();
  }
}

interface Watchdog {
  signal: AbortSignal;
  /** Starts the wait anew. */
  feed(timeoutMs: number): void;
  /** Ends the wait and whatever of the connection is left. */
  stop(): void;
}

function startWatchdog(timeoutMs: number, outer: AbortSignal | undefined): Watchdog {
  const controller = new AbortController();
  const abort = () => controller.abort();
  outer?.addEventListener("abort", abort);
  if (outer?.aborted) abort();
  let timer = setTimeout(abort, timeoutMs);
  return {
    signal: controller.signal,
    feed(timeoutMs) {
      clearTimeout(timer);
      timer = setTimeout(abort, timeoutMs);
    },
    stop() {
      clearTimeout(timer);
      abort();
      outer?.removeEventListener("abort", abort);
    },
  };
}

async function answer({ address, connectTimeoutMs }: Download, { signal }: Watchdog): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { signal });
  } catch (error) {
    const cause = signal.aborted
      ? `no answer within ${connectTimeoutMs / 1000} s`
      : `no connection (${
        messageOf(deepestCause(error)).replace(/^error sending request.*?\): (client error .*?: )?/, "")
      })`;
    throw new UserError(`download: want ${address}, got ${cause}; check the network`);
  }
  if (response.status === 200 && response.body !== null) return response;
  await response.body?.cancel();
  throw new UserError(
    `download: want ${address}, got HTTP ${response.status} ${response.statusText}; check the address`,
  );
}

function deepestCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? deepestCause(error.cause) : error;
}

async function receive(
  { address, sha256, stallTimeoutMs }: Download,
  response: Response,
  file: Deno.FsFile,
  watchdog: Watchdog,
  onProgress: (progress: DownloadProgress) => void,
): Promise<void> {
  const length = response.headers.get("content-length"), total = length === null ? null : Number(length);
  const hash = createHash("sha256");
  let done = 0, brokenBy = "";
  const chunks = response.body!.values();
  while (true) {
    watchdog.feed(stallTimeoutMs);
    const next = await chunks.next().catch((error) => {
      brokenBy = watchdog.signal.aborted ? `nothing for ${stallTimeoutMs / 1000} s` : messageOf(error);
      return { done: true as const, value: undefined };
    });
    if (next.done) break;
    for (let at = 0; at < next.value.length;) at += await file.write(next.value.subarray(at));
    hash.update(next.value);
    done += next.value.length;
    onProgress({ address, done, total });
  }
  if (brokenBy !== "" || (total !== null && done !== total)) {
    const want = total === null ? "the whole file" : `${total} bytes`;
    throw new UserError(
      `download: want ${want} of ${address}, got ${done} bytes${brokenBy && ` (${brokenBy})`}; run again`,
    );
  }
  const got = hash.digest("hex");
  if (got !== sha256) {
    throw new UserError(
      `download: want SHA-256 ${sha256} of ${address}, got ${got} (${done} bytes); the file was changed on its way, ` +
        `try another network`,
    );
  }
}

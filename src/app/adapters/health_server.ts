/** What a supervisor of services asks a process that runs long: whether it lives, and whether it can work. */
import { UserError } from "../../util/errors.ts";

const HOST = "127.0.0.1";
/** How long an answer to `/ready` holds: whoever asks more often gets the same one. */
const HOLD_MS = 1000;

export interface HealthServer {
  close(): Promise<void>;
}

/**
 * Answers `/health` with 200 while the process runs, and `/ready` with 200 or, where `trouble` names one, 503.
 *
 * @throws {UserError} where the port is taken
 */
export function serveHealth(port: number, trouble: () => Promise<string | null>): HealthServer {
  let looked = -Infinity, looking: Promise<string | null> = Promise.resolve(null);
  function look(): Promise<string | null> {
    if (performance.now() - looked < HOLD_MS) return looking;
    looked = Infinity; // one look at a time
    const asked = looking = trouble().catch((error: Error) => error.message);
    asked.then(() => looked = performance.now());
    return asked;
  }
  const text = (status: number, body: string) =>
    new Response(`${body}\n`, { status, headers: { "cache-control": "no-store" } });
  const routes: Readonly<Record<string, () => Response | Promise<Response>>> = {
    "/health": () => text(200, "ok"),
    async "/ready"() {
      const found = await look();
      return found === null ? text(200, "ready") : text(503, found);
    },
  };
  function open() {
    try {
      return Deno.serve({ hostname: HOST, port, onListen() {} }, (request) => {
        const { pathname } = new URL(request.url);
        return Object.hasOwn(routes, pathname) ? routes[pathname]() : text(404, "want /health or /ready");
      });
    } catch (error) {
      throw new UserError(`--health: want port ${port}, got: ${(error as Error).message}; give another`);
    }
  }
  const server = open();
  return { close: () => server.shutdown() };
}

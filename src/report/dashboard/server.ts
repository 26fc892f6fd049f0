/** Serves a live run on 127.0.0.1 to those who know its token. */
import { timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { SupervisorCommand } from "../../app/supervisor.ts";
import { page } from "../page.ts";
import { subtitleOf } from "../run_page.ts";
import type { LiveRun } from "./live.ts";
import { metricsText } from "./metrics_text.ts";
import { controlsHtml, SCRIPT } from "./script.ts";

const HOST = "127.0.0.1";
/** Watchers are told what is new this often at most; less often where they are many. */
const TELL_MS = 250, TELL_MS_EACH = 5;
const MAX_BODY_BYTES = 4096;
/** How long watchers have to take in the end. */
const PATIENCE_MS = 500;

const name = z.string().min(1).max(256);
const ActionAsked = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("germinate"), slot: name, blueprint: name }),
  z.strictObject({ kind: z.enum(["advance", "prune", "fossilize"]), slot: name }),
]);
const CommandAsked = z.discriminatedUnion("command", [
  z.strictObject({ command: z.enum(["pause", "resume", "step"]) }),
  z.strictObject({ command: z.enum(["force", "veto", "allow"]), action: ActionAsked }),
]);

export interface DashboardOptions {
  readonly run: LiveRun;
  /** 0 takes a port that is free. */
  readonly port: number;
  readonly token: string;
  /** Hands on what someone asks of the run; null where nobody may. */
  readonly command: ((asked: SupervisorCommand) => void) | null;
}

export interface Dashboard {
  readonly port: number;
  /** Shows the end to whoever watches, and stops. */
  close(): Promise<void>;
}

const SAFE: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

function answer(status: number, body: BodyInit, type = "text/plain; charset=utf-8", more = {}): Response {
  return new Response(body, { status, headers: { ...SAFE, "content-type": type, ...more } });
}

function equal(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => new TextEncoder().encode(text));
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Messages of server-sent events. */
const message = (event: string, data: unknown) =>
  new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

/**
 * Begins to serve. Each watcher is owed the newest message only: one that does not read holds up nobody, and nothing
 * piles up for it.
 *
 * @throws {Deno.errors.AddrInUse} where the port is taken.
 */
export function serveDashboard({ run, port, token, command }: DashboardOptions): Dashboard {
  let newest = message("status", run.status), text = JSON.stringify(run.status), number = 1;
  let news = Promise.withResolvers<void>();
  let clients = 0, closed = false;

  function publish(bytes: Uint8Array<ArrayBuffer>): void {
    newest = bytes;
    number++;
    news.resolve();
    news = Promise.withResolvers();
  }

  /** Draws and tells, while anybody watches. */
  async function beat(): Promise<void> {
    if (clients > 0) {
      await run.draw();
      const now = JSON.stringify(run.status);
      if (now !== text && !closed) publish(message("status", JSON.parse(text = now)));
    }
    if (!closed) timer = setTimeout(beat, Math.max(TELL_MS, clients * TELL_MS_EACH));
  }
  let timer = setTimeout(beat, TELL_MS);

  function events(): Response {
    let told = 0;
    // While nobody watched, nothing was told.
    if (clients++ === 0) publish(message("status", run.status));
    const gone = Promise.withResolvers<void>();
    let open = true;
    const leave = () => {
      if (open) clients--;
      open = false;
      gone.resolve();
    };
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        while (told === number && !closed && open) await Promise.race([news.promise, gone.promise]);
        if (!open) return;
        if (told !== number) {
          told = number;
          controller.enqueue(newest);
        }
        if (!closed) return;
        leave();
        controller.close();
      },
      cancel: leave,
    }, { highWaterMark: 0 });
    return answer(200, stream, "text/event-stream");
  }

  async function wholePage(): Promise<Response> {
    await run.draw();
    const nonce = crypto.randomUUID();
    const html = page({
      title: run.name,
      subtitle: subtitleOf(run),
      before: controlsHtml(command !== null),
      sections: [],
      script: { code: SCRIPT, nonce },
    });
    return answer(200, html, "text/html; charset=utf-8", {
      "content-security-policy":
        `default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'; connect-src 'self'; ` +
        `img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    });
  }

  async function picture(request: Request): Promise<Response> {
    const { version, html, gzipped } = await run.draw();
    const zipped = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
    return answer(200, zipped ? gzipped : html, "text/html; charset=utf-8", {
      "x-picture": String(version),
      ...zipped && { "content-encoding": "gzip" },
    });
  }

  async function commanded(request: Request): Promise<Response> {
    if (command === null) return answer(409, "this run cannot be asked for anything: it is only looked at");
    const origin = request.headers.get("origin");
    if (origin !== null && new URL(origin).host !== request.headers.get("host")) {
      return answer(403, "commands come from this page only");
    }
    const body = await request.text();
    let asked: unknown = null;
    try {
      if (body.length <= MAX_BODY_BYTES) asked = JSON.parse(body);
    } catch {
      // What is no JSON is no command.
    }
    const parsed = CommandAsked.safeParse(asked);
    if (!parsed.success) return answer(400, `command: ${parsed.error.issues[0].message}`);
    command(parsed.data);
    return answer(202, "asked");
  }

  const routes: Readonly<Record<string, (request: Request) => Response | Promise<Response>>> = {
    "GET /": wholePage,
    "GET /picture": picture,
    "GET /events": events,
    "GET /metrics": () =>
      answer(200, metricsText(run.story, clients), "text/plain; version=0.0.4; charset=utf-8"),
    "POST /command": commanded,
  };
  /** What a supervisor of services asks, who has no token; tells nothing of the run. */
  const open: Readonly<Record<string, () => Response>> = {
    "GET /health": () => answer(200, "ok\n"),
    "GET /ready": () => run.story.metrics.length > 0 ? answer(200, "ready\n") : answer(503, "compiling\n"),
  };

  const stop = new AbortController();
  const server = Deno.serve({
    signal: stop.signal,
    hostname: HOST,
    port,
    onListen() {},
    onError: () => answer(500, "this could not be answered"),
  }, (request) => {
    const url = new URL(request.url), route = `${request.method} ${url.pathname}`;
    // Another name for this machine would be a page of somebody else's.
    if (url.hostname !== HOST && url.hostname !== "localhost") return answer(421, "ask for 127.0.0.1");
    if (Object.hasOwn(open, route)) return open[route]();
    const bearer = request.headers.get("authorization")?.replace(/^Bearer /, "");
    const given = bearer ?? (request.method === "GET" ? url.searchParams.get("token") : null);
    if (!equal(given ?? "", token)) return answer(401, "want the token that the program printed");
    return Object.hasOwn(routes, route) ? routes[route](request) : answer(404, "there is nothing here");
  });

  return {
    port: server.addr.port,
    async close() {
      clearTimeout(timer);
      const { html } = await run.draw(true);
      closed = true;
      publish(message("end", { status: run.status, html }));
      // Whoever does not read is not waited for.
      const patience = setTimeout(() => stop.abort(), PATIENCE_MS);
      await server.shutdown();
      clearTimeout(patience);
    },
  };
}

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { SupervisorCommand } from "../../src/app/supervisor.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import { addressOf } from "../../src/report/dashboard/dashboard.ts";
import { LiveRun } from "../../src/report/dashboard/live.ts";
import { serveDashboard } from "../../src/report/dashboard/server.ts";

const TOKEN = "a".repeat(48);

const started = {
  run: "points-1",
  config: "points",
  dataset: 'spirals "by hand"',
  adapter: "llvmpipe",
  profile: "small" as const,
  dryRun: false,
  budgetFlops: 1000,
  maxSteps: null,
  resumedAt: 0,
};
const envelope = (topic: string, payload: unknown) => ({ id: 1, time: 1000, topic, payload }) as AnyEnvelope;
const metrics = (step: number) =>
  envelope("step.metrics", {
    step,
    loss: 2,
    accuracy: 0.5,
    learningRate: 0.1,
    imagesPerSecond: 9,
    flops: step,
  });

/** Serves a run that is told of by hand. */
async function serving(
  work: (at: {
    run: LiveRun;
    port: number;
    asked: SupervisorCommand[];
    ask: (path: string, options?: RequestInit) => Promise<{ status: number; text: string; headers: Headers }>;
  }) => Promise<void>,
  controllable = true,
): Promise<void> {
  const run = new LiveRun(null);
  const asked: SupervisorCommand[] = [];
  const command = controllable ? (one: SupervisorCommand) => void asked.push(one) : null;
  const dashboard = serveDashboard({ run, port: 0, token: TOKEN, command });
  const ask = async (path: string, options: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${dashboard.port}${path}`, options);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  try {
    await work({ run, port: dashboard.port, asked, ask });
  } finally {
    await dashboard.close();
  }
}

const posting = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { authorization: `Bearer ${TOKEN}`, ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

/** Answers to a request that is written by hand; what comes within `ms`. */
async function raw(port: number, request: string, ms = 300): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  const timer = setTimeout(() => connection.close(), ms);
  let text = "";
  try {
    for await (const bytes of connection.readable) text += new TextDecoder().decode(bytes);
  } catch {
    // Its time is over.
  }
  clearTimeout(timer);
  return text;
}

Deno.test("a dashboard answers nobody without its token but those who ask how it is", () =>
  serving(async ({ run, port, ask, asked }) => {
    for (const path of ["/", "/picture", "/events", "/metrics", `/?token=${"b".repeat(48)}`, "/?token="]) {
      assertEquals((await ask(path)).status, 401, path);
    }
    // A token in the address serves those who look only.
    assertEquals(
      (await ask(`/command?token=${TOKEN}`, { method: "POST", body: '{"command":"pause"}' })).status,
      401,
    );
    assertEquals((await ask("/health")).status, 200);
    assertEquals((await ask("/ready")).status, 503);
    run.take([envelope("run.started", started), metrics(3)]);
    assertEquals((await ask("/ready")).status, 200);
    assertEquals((await ask(`/nothing?token=${TOKEN}`)).status, 404);
    // A page of somebody else's whose name leads here.
    assertMatch(
      await raw(port, `GET /health HTTP/1.1\r\nHost: evil.example:${port}\r\n\r\n`),
      /^HTTP\/1\.1 421 /,
    );
    assertEquals(asked, []);
  }));

Deno.test("a dashboard hands on commands that make sense, from its own page", () =>
  serving(async ({ ask, asked, port }) => {
    const germinate = { kind: "germinate", slot: "layer1", blueprint: "mlp" } as const;
    assertEquals((await ask("/command", posting({ command: "pause" }))).status, 202);
    const own = { origin: `http://127.0.0.1:${port}` };
    assertEquals((await ask("/command", posting({ command: "force", action: germinate }, own))).status, 202);
    assertEquals(asked, [{ command: "pause" }, { command: "force", action: germinate }]);
    const wrong: unknown[] = [
      "nonsense",
      { command: "explode" },
      { command: "force" },
      { command: "force", action: { kind: "wait" } },
      { command: "pause", more: 1 },
      "x".repeat(5000),
    ];
    for (const body of wrong) assertEquals((await ask("/command", posting(body))).status, 400);
    const foreign = posting({ command: "pause" }, { origin: "http://evil.example" });
    assertEquals((await ask("/command", foreign)).status, 403);
    assertEquals(asked.length, 2);
  }));

Deno.test("a dashboard of a run that another program trains takes no commands", () =>
  serving(async ({ ask }) => {
    assertEquals((await ask("/command", posting({ command: "pause" }))).status, 409);
    assert(!(await ask(`/?token=${TOKEN}`)).text.includes('id="pause"'));
  }, false));

Deno.test("GET /metrics is Prometheus' text format", () =>
  serving(async ({ run, ask }) => {
    run.take([envelope("run.started", started), metrics(3)]);
    const { text, headers } = await ask("/metrics", { headers: { authorization: `Bearer ${TOKEN}` } });
    assertMatch(headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    assertStringIncludes(
      text,
      'esper_info{run="points-1",dataset="spirals \\"by hand\\"",adapter="llvmpipe",profile="small"} 1\n',
    );
    assertStringIncludes(text, "# TYPE esper_step gauge\nesper_step 3\n");
    for (const line of text.trimEnd().split("\n")) {
      assertMatch(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="([^"\\]|\\.)*",?)*\})? (NaN|[-+\d.e]+))$/);
    }
  }));

Deno.test("a dashboard's page and picture are whole, and gzipped for those who take that", () =>
  serving(async ({ run, ask, port }) => {
    run.take([envelope("run.started", started), metrics(3), metrics(6)]);
    const { text, headers } = await ask(new URL(addressOf(port, TOKEN)).pathname + `?token=${TOKEN}`);
    const [, nonce] = headers.get("content-security-policy")!.match(/script-src 'nonce-([^']+)'/)!;
    assertStringIncludes(text, `<script nonce="${nonce}">`);
    for (const id of ["status", "pause", "resume", "step", "force", "veto", "allow", "sections"]) {
      assertStringIncludes(text, `id="${id}"`);
    }
    for (const encoding of ["gzip", "identity"]) {
      const picture = await ask(`/picture?token=${TOKEN}`, { headers: { "accept-encoding": encoding } });
      assertStringIncludes(picture.text, 'aria-label="Loss by step"');
      assertEquals(picture.headers.get("x-picture"), "1");
    }
  }));

/** What an event stream has told so far. */
async function listen(port: number): Promise<{ texts: string[]; ended: Promise<void>; leave: () => void }> {
  const control = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/events?token=${TOKEN}`, { signal: control.signal });
  const texts: string[] = [];
  const ended = (async () => {
    try {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) texts.push(text);
    } catch {
      // It was left.
    }
  })();
  return { texts, ended, leave: () => control.abort() };
}

const until = async (what: () => boolean) => {
  for (let tries = 0; !what(); tries++) {
    assert(tries < 400, "it did not come to pass within 8 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

Deno.test("GET /events tells what is new to all, those who do not read hold up nobody, and the end comes with the picture", async () => {
  const stalled: Deno.Conn[] = [];
  let last = { texts: [] as string[], ended: Promise.resolve() };
  await serving(async ({ run, port, ask }) => {
    for (let k = 0; k < 5; k++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(
        new TextEncoder().encode(`GET /events?token=${TOKEN} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
      );
      stalled.push(connection);
    }
    const one = await listen(port), other = await listen(port);
    last = other;
    run.take([envelope("run.started", started), metrics(3)]);
    await until(() => [one, other].every(({ texts }) => texts.join("").includes("step 3 ")));
    one.leave();
    await one.ended;
    const text = async () => (await ask(`/metrics?token=${TOKEN}`)).text;
    for (let tries = 0; !(await text()).includes("esper_dashboard_clients 6\n"); tries++) assert(tries < 100);
    run.take([metrics(6)]);
    await until(() => other.texts.join("").includes("step 6 "));
    run.take([
      envelope("run.finished", {
        ...started,
        reason: "completed",
        step: 6,
        loss: 1,
        accuracy: 1,
        weights: null,
      }),
    ]);
  });
  await last.ended;
  assertMatch(last.texts.join(""), /event: end\ndata: \{"status":\{"line":"completed .*"html":"<section/);
  stalled.forEach((connection) => connection.close());
});

/** The thread that shows a run, so that whoever watches costs the one that trains nothing but words. */
import { LiveRun } from "./live.ts";
import type { FromDashboard, ToDashboard } from "./protocol.ts";
import { type Dashboard, serveDashboard } from "./server.ts";

const thread = globalThis as unknown as {
  onmessage: (message: MessageEvent<ToDashboard>) => void;
  postMessage(message: FromDashboard): void;
};
const run = new LiveRun(null);
let dashboard: Dashboard | null = null;

const handlers: { [K in ToDashboard["kind"]]: (message: Extract<ToDashboard, { kind: K }>) => void } = {
  serve({ port, token }) {
    try {
      const command = (asked: Extract<FromDashboard, { kind: "command" }>["asked"]) =>
        thread.postMessage({ kind: "command", asked });
      dashboard = serveDashboard({ run, port, token, command });
      thread.postMessage({ kind: "serving", port: dashboard.port });
    } catch (error) {
      thread.postMessage({ kind: "failed", reason: (error as Error).message });
    }
  },
  folder: ({ directory }) => run.open(directory),
  event: ({ event }) => run.take([event]),
  state: ({ state }) => run.supervise(state),
  close: () =>
    void (dashboard?.close() ?? Promise.resolve()).then(() => thread.postMessage({ kind: "closed" })),
};

thread.onmessage = ({ data }) => (handlers[data.kind] as (message: ToDashboard) => void)(data);

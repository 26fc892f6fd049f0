/** A thread that compiles and tries kernels on a device of its own. Started by `workshop_worker.ts`. */
import type { Reply, Request } from "./protocol.ts";
import { serveWorkshop } from "./serve_workshop.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(reply: Reply): void;
};

const answer = serveWorkshop((reply) => scope.postMessage(reply));
scope.onmessage = ({ data }) => answer(data);

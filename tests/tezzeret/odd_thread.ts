/** A thread that says it is ready, never answers a draft, and crashes at a test. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<{ id: number; kind: "open" | "draft" | "test" }>) => void;
  postMessage(reply: unknown): void;
};

scope.onmessage = ({ data: { id, kind } }) => {
  if (kind === "open") scope.postMessage({ id, result: null });
  if (kind === "test") throw new Error("out of memory");
};

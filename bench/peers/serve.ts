/** What an engine's program offers the bench, on standard input and output of a process or as a global of a page. */
import { lines } from "../../src/util/lines.ts";
import { type GpuCalls, watchGpu } from "./watch_gpu.ts";

export interface Engine {
  readonly name: string;
  readonly adapter: string;
  /** One training step; resolves to its loss. */
  step(): Promise<number>;
  /** Several matrix products, done when this resolves. */
  products(): Promise<void>;
}

/** What may be measured. */
export type Work = "step" | "products";

/** One measurement. */
export interface Reading extends GpuCalls {
  readonly engine: string;
  readonly adapter: string;
  readonly ms: number;
  readonly loss: number | null;
}

/** Marks the lines of standard output that are answers. */
export const ANSWER = "\u001e";

/** Answers requests to measure `step` or `products` until there are no more. */
export async function serve(open: () => Promise<Engine>): Promise<void> {
  const gpu = watchGpu();
  let opening: Promise<Engine> | undefined;
  const measure = async (what: Work): Promise<Reading> => {
    const engine = await (opening ??= open());
    gpu.reset();
    const start = performance.now();
    const loss = await engine[what]() ?? null;
    const ms = performance.now() - start;
    return { engine: engine.name, adapter: engine.adapter, ms, loss, ...gpu.read() };
  };
  if (!globalThis.Deno) {
    Object.assign(globalThis, { measure });
    return;
  }
  for await (const line of lines(Deno.stdin.readable)) {
    console.log(ANSWER + JSON.stringify(await measure(line as Work)));
  }
}

/** Version of Esper: part of every run's record. */
export const ESPER_VERSION = "0.1.0";

/** Versions that a run's numbers may depend on. */
export function versions(): Record<string, string> {
  const runtime =
    (globalThis as { Deno?: { version: Record<string, string>; build: { target: string } } }).Deno;
  return { esper: ESPER_VERSION, ...runtime?.version, ...(runtime ? { target: runtime.build.target } : {}) };
}

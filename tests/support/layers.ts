/** Which file may import which: one table, used by the lint plugin and by the architecture test. */

const SUBSYSTEMS = ["kasmina", "tezzeret", "urza", "oona", "tamiyo", "tolaria", "fleet"] as const;
const ENGINE = ["engine/gpu", "engine/graph", "engine/ops", "engine/compile", "engine/nn"];
const ENGINE_TOP = [...ENGINE, "engine/optim", "engine/data", "engine/io", "engine/tune", "engine"];
const LEAVES = ["util", "contracts"];
const CORE = [...LEAVES, ...ENGINE_TOP];

/** Layers that files of a layer may import besides their own; layers are folders under `src/` and at the root. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "util": [],
  "contracts": ["util"],
  "engine/gpu": LEAVES,
  "kernels": ["shaders", "engine/gpu", ...LEAVES],
  "engine/graph": ["kernels", "engine/gpu", "engine/ops", ...LEAVES],
  "engine/ops": ["kernels", "engine/gpu", "engine/graph", ...LEAVES],
  "engine/compile": ["kernels", "engine/gpu", "engine/graph", "engine/ops", ...LEAVES],
  "engine/nn": ["kernels", ...ENGINE, ...LEAVES],
  "engine/optim": ["kernels", ...CORE],
  "engine/data": ["kernels", ...CORE],
  "engine/io": ["kernels", ...CORE],
  "engine/tune": ["kernels", ...CORE],
  "engine": ["kernels", ...CORE],
  ...Object.fromEntries(SUBSYSTEMS.map((name) => [name, CORE])),
  "app": [...CORE, ...SUBSYSTEMS],
  "cli": ["app", "report", ...CORE],
  "report": ["app", ...CORE],
  "web": ["app", "report", ...CORE],
  "mod.ts": ["app", ...CORE, ...SUBSYSTEMS],
  "main": ["cli"],
};

/** Files that any subsystem may import, as types. */
const SHARED_INTERFACES = ["src/oona/bus.ts", "src/urza/store.ts"];

/** The layer of a path relative to the repository; null where no rules hold (tests, bench, the plugin itself). */
export function layerOf(path: string): string | null {
  const parts = path.split("/");
  if (path === "main.ts") return "main";
  if (parts[0] === "kernels" || parts[0] === "shaders") return parts[0];
  if (parts[0] !== "src") return null;
  if (parts[1] !== "engine") return parts[1];
  return parts.length > 3 ? `engine/${parts[2]}` : "engine";
}

/** Whether a file may use `Deno.*`, `node:` modules and network clients. */
export function mayUseRuntime(path: string): boolean {
  return layerOf(path) === null || path === "main.ts" || /\/adapters\/|^src\/(cli|report)\//.test(path);
}

/** Why `from` may not import `to` (both relative to the repository), or null where it may. */
export function importFault(from: string, to: string, how: "value" | "type" | "dynamic"): string | null {
  const source = layerOf(from), target = layerOf(to);
  if (source === null) return null;
  if (target === null) return `${from} imports ${to}: tests and benches are imported by nobody`;
  const loaded = how === "value" && /\/adapters\//.test(to) && !mayUseRuntime(from);
  if (loaded) return `${from} imports ${to}: want adapters loaded by a dynamic import()`;
  if (source === target || how === "type" && SHARED_INTERFACES.includes(to)) return null;
  if (source === "kernels" && target === "engine/gpu" && to !== "src/engine/gpu/kernel.ts") {
    return `${from} imports ${to}: of the engine, kernels see src/engine/gpu/kernel.ts only`;
  }
  const allowed = MAY_IMPORT[source] ?? [];
  if (allowed.includes(target)) return null;
  return `${from} imports ${to}: want an import from ${[source, ...allowed].join(", ")}, got ${target}`;
}

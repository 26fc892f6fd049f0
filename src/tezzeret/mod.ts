/** Tezzeret: blueprints, from data to checked and costed graphs, and to kernels that are known to be right. */
export { BlueprintError, build } from "./build.ts";
export { fitOf, parseBlueprint } from "./check.ts";
export { createTezzeret, type Tezzeret } from "./compiler.ts";
export { findBlueprint, library } from "./library.ts";
export type { KernelReport } from "./report.ts";
export { createWorkshop, type Workshop } from "./workshop.ts";

/** Kasmina: networks with seed slots, and the lifecycle of the seeds in them. */
export { createKasmina } from "./lifecycle.ts";
export { legalActions } from "./legal.ts";
export { morph } from "./morph.ts";
export { alphaInput, seedPrefix } from "./seed.ts";
export type { LiveSeeds, MorphModel, MorphTrace, SlotSite } from "./morph.ts";
export type { Branch, LiveSeed, SeedMode, SeedTrace } from "./seed.ts";
export type { SlotTableJson } from "./slot_table.ts";
export type { Kasmina, KasminaOptions } from "./types.ts";

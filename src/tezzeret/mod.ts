/** Tezzeret: blueprints, from data to checked and costed graphs. */
export { BlueprintError, build } from "./build.ts";
export { fitOf, parseBlueprint } from "./check.ts";
export { findBlueprint, library } from "./library.ts";

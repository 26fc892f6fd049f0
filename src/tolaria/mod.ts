/** Tolaria: the training loop, with ticks, growth, evaluation, rollback and resumable state. */
export { Trainer, type TrainerParts } from "./trainer.ts";
export { closingActions } from "./closing.ts";
export { type GrowableModel, modeOf, type PlantedSeed, seedsWith, type Topology } from "./growable.ts";
export { callHooks, type Hooks, type Outcome, stoppingOnce } from "./hooks.ts";
export { nextStep } from "./next_step.ts";
export type { Checkpoint, SavedState, Score, TrainerState } from "./state.ts";

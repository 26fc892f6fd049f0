import type { Gpu } from "../engine/gpu/device.ts";
import { profile } from "../engine/gpu/profile.ts";
import { peakOf } from "../engine/tune/peak.ts";
import type { Hooks, Outcome, Topology, Trainer } from "../tolaria/mod.ts";
import { byKernel, type KernelProfile, type KernelReport } from "./kernel_profile.ts";

/** Steps before the first profile, by which drivers have done what they do at first use. */
const WARM_STEPS = 5;

/**
 * Profiles the training step of a run between two of its steps: once it is warm, and again when training ends if the
 * network has changed. The run's numbers stay as they are.
 */
export class KernelProfiler {
  readonly hooks: Hooks = {
    onStep: () => this.#afterStep(),
    onStop: (outcome) => this.#atEnd(outcome),
  };
  readonly #gpu: Gpu;
  readonly #profiles: KernelProfile[] = [];
  #trainer: Trainer | null = null;
  #steps = 0;
  #profiled: Topology = {};

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Names the trainer that the hooks are called by. */
  follow(trainer: Trainer): void {
    this.#trainer = trainer;
  }

  /** What was found; empty where no step was taken. */
  async report(): Promise<KernelReport> {
    const { peakBytes } = this.#gpu.allocator;
    return { peak: await peakOf(this.#gpu), peakBytes, profiles: this.#profiles };
  }

  async #afterStep(): Promise<void> {
    if (++this.#steps < WARM_STEPS) return;
    // Steps that nobody follows go to the device several at once.
    delete this.hooks.onStep;
    await this.#take();
  }

  async #atEnd(outcome: Outcome): Promise<void> {
    if (outcome !== "completed" || this.#steps === 0) return;
    const changed = JSON.stringify(this.#profiled) !== JSON.stringify(this.#trainer!.assembly.topology);
    if (this.#steps < WARM_STEPS || changed) await this.#take();
  }

  async #take(): Promise<void> {
    const trainer = this.#trainer!;
    const { train, shadow, topology } = trainer.assembly;
    // A program that has not run has no step to repeat.
    const step = [train, shadow].find((step) => step?.program.step.written);
    if (!step) return;
    const found = await profile(this.#gpu, step.dispatches, { scratch: step.program.owned });
    this.#profiles.push({
      step: trainer.progress.step,
      seeds: Object.entries(topology).map(([slot, { blueprint, mode }]) => `${slot} ${blueprint} (${mode})`),
      intermediateBytes: step.program.bytes,
      kernels: byKernel(found.dispatches, await peakOf(this.#gpu)),
      ...found,
    });
    this.#profiled = topology;
    trainer.speedometer.restart(trainer.progress.step);
  }
}

import type { RunConfig } from "../contracts/config.ts";

type Limits = RunConfig["governor"];

/** What the governor watches, once a step. */
export interface VitalSigns {
  readonly loss: number;
  /** Largest gradient norm of any group. */
  readonly gradNorm: number;
}

/** What the governor takes for a breakdown. */
export type Diagnosis = "not_finite" | "loss_spike" | "gradient_explosion" | "collapse";

/** What was wrong, with the numbers it rests on. */
export interface Alarm {
  /** Which breakdown. */
  readonly diagnosis: Diagnosis;
  /** The loss or the gradient norm that showed it. */
  readonly value: number;
  /** What it should have stayed below. */
  readonly limit: number;
}

export interface GovernorState {
  readonly losses: readonly number[];
  readonly gradients: readonly number[];
  /** Whether each of the last readings, oldest first, was a spike or a collapse. */
  readonly signs: readonly boolean[];
  readonly rollbacks: number;
}

/** Readings whose average says how a network does at present: one batch may hold an example that it gets wrong. */
const FLOOR_READINGS = 4;

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * Watches loss and gradients for breakdown: NaN or infinity at once; a loss above `lossRatio` times the mean and
 * `lossDeviations` median absolute deviations above it, or back at chance after it was well below, `spikes` times within
 * `window` readings; a gradient `gradientRatio` times its median. A network that still does far better than chance
 * (`lossFloor`), on the average of a few readings, has not broken down, however much worse than before: near zero, one
 * example makes the loss of a batch jump.
 */
export class Governor {
  readonly #limits: Limits;
  readonly #chance: number;
  #losses: number[] = [];
  #gradients: number[] = [];
  #signs: boolean[] = [];
  #rollbacks = 0;

  constructor(limits: Limits, classes: number) {
    this.#limits = limits;
    this.#chance = Math.log(classes);
  }

  get rollbacks(): number {
    return this.#rollbacks;
  }

  /** Whether the controller has used up its rollbacks. */
  get exhausted(): boolean {
    return this.#rollbacks >= this.#limits.maxRollbacks;
  }

  /** Takes in one step; an alarm calls for a rollback. */
  observe({ loss, gradNorm }: VitalSigns): Alarm | null {
    if (!this.#limits.enabled) return null;
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
      return { diagnosis: "not_finite", value: Number.isFinite(loss) ? gradNorm : loss, limit: Infinity };
    }
    const { minReadings, window, spikes } = this.#limits;
    const sign = this.#losses.length >= minReadings ? this.#judge(loss, gradNorm) : null;
    remember(this.#signs, sign !== null, window);
    if (!sign) {
      remember(this.#losses, loss, window);
      remember(this.#gradients, gradNorm, window);
      return null;
    }
    const enough = sign.diagnosis === "gradient_explosion" || this.#signs.filter(Boolean).length >= spikes;
    return enough ? sign : null;
  }

  /** The control loss of a tick has no history that counts: only a broken number is an alarm. */
  judgeControl(loss: number): Alarm | null {
    if (!this.#limits.enabled || Number.isFinite(loss)) return null;
    return { diagnosis: "not_finite", value: loss, limit: Infinity };
  }

  /** What is wrong with one step, once or not. */
  #judge(loss: number, gradNorm: number): Alarm | null {
    const { lossFloor, lossRatio, lossDeviations, gradientRatio, collapseMargin } = this.#limits;
    if (mean([...this.#losses.slice(1 - FLOOR_READINGS), loss]) < lossFloor * this.#chance) return null;
    const average = mean(this.#losses), middle = median(this.#losses);
    const deviation = median(this.#losses.map((value) => Math.abs(value - middle)));
    const lossLimit = Math.max(lossRatio * average, average + lossDeviations * deviation);
    const gradientLimit = gradientRatio * median(this.#gradients) || Infinity;
    const chanceLimit = average < 0.6 * this.#chance ? (1 - collapseMargin) * this.#chance : Infinity;
    const signs = [
      { diagnosis: "gradient_explosion", value: gradNorm, limit: gradientLimit },
      { diagnosis: "loss_spike", value: loss, limit: lossLimit },
      { diagnosis: "collapse", value: loss, limit: chanceLimit },
    ] as const;
    return signs.find(({ value, limit }) => value > limit) ?? null;
  }

  /** Counts a rollback and forgets what led to it. */
  rolledBack(): void {
    this.#rollbacks++;
    this.#losses = [];
    this.#gradients = [];
    this.#signs = [];
  }

  save(): GovernorState {
    return {
      losses: [...this.#losses],
      gradients: [...this.#gradients],
      signs: [...this.#signs],
      rollbacks: this.#rollbacks,
    };
  }

  restore(state: GovernorState): void {
    this.#losses = [...state.losses];
    this.#gradients = [...state.gradients];
    this.#signs = [...state.signs];
    this.#rollbacks = state.rollbacks;
  }
}

function remember<T>(values: T[], value: T, window: number): void {
  values.push(value);
  if (values.length > window) values.shift();
}

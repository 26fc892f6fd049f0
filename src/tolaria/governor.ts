import type { RunConfig } from "../contracts/config.ts";

type Limits = RunConfig["governor"];

/** What the governor watches, once a step. */
export interface VitalSigns {
  readonly loss: number;
  /** Largest gradient norm of any group. */
  readonly gradNorm: number;
}

export type Diagnosis = "not_finite" | "loss_spike" | "gradient_explosion" | "collapse";

/** What was wrong, with the numbers it rests on. */
export interface Alarm {
  readonly diagnosis: Diagnosis;
  readonly value: number;
  readonly limit: number;
}

export interface GovernorState {
  readonly losses: readonly number[];
  readonly gradients: readonly number[];
  readonly spikes: number;
  readonly rollbacks: number;
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * Watches loss and gradients for breakdown: NaN or infinity at once; a loss above `lossRatio` times the mean and
 * `lossDeviations` median absolute deviations above it, `spikes` times in a row; a gradient `gradientRatio` times its
 * median; a loss back at chance after it was well below. A network that still does far better than chance (`lossFloor`) has
 * not broken down, however much worse than before: near zero, losses jump.
 */
export class Governor {
  readonly #limits: Limits;
  readonly #chance: number;
  #losses: number[] = [];
  #gradients: number[] = [];
  #spikes = 0;
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
    const alarm = this.#losses.length >= this.#limits.minReadings ? this.#judge(loss, gradNorm) : null;
    if (this.#spikes === 0) {
      remember(this.#losses, loss, this.#limits.window);
      remember(this.#gradients, gradNorm, this.#limits.window);
    }
    return alarm;
  }

  /** The control loss of a tick has no history that counts: only a broken number is an alarm. */
  judgeControl(loss: number): Alarm | null {
    if (!this.#limits.enabled || Number.isFinite(loss)) return null;
    return { diagnosis: "not_finite", value: loss, limit: Infinity };
  }

  #judge(loss: number, gradNorm: number): Alarm | null {
    const { lossFloor, lossRatio, lossDeviations, spikes, gradientRatio, collapseMargin } = this.#limits;
    if (loss < lossFloor * this.#chance) {
      this.#spikes = 0;
      return null;
    }
    const average = mean(this.#losses), middle = median(this.#losses);
    const deviation = median(this.#losses.map((value) => Math.abs(value - middle)));
    const lossLimit = Math.max(lossRatio * average, average + lossDeviations * deviation);
    const gradientLimit = gradientRatio * median(this.#gradients) || Infinity;
    const chanceLimit = average < 0.6 * this.#chance ? (1 - collapseMargin) * this.#chance : Infinity;
    const broken = [
      { diagnosis: "loss_spike", value: loss, limit: lossLimit },
      { diagnosis: "collapse", value: loss, limit: chanceLimit },
    ] as const;
    const sign = broken.find(({ value, limit }) => value > limit);
    this.#spikes = sign ? this.#spikes + 1 : 0;
    if (gradNorm > gradientLimit) {
      return { diagnosis: "gradient_explosion", value: gradNorm, limit: gradientLimit };
    }
    return sign && this.#spikes >= spikes ? sign : null;
  }

  /** Counts a rollback and forgets what led to it. */
  rolledBack(): void {
    this.#rollbacks++;
    this.#losses = [];
    this.#gradients = [];
    this.#spikes = 0;
  }

  save(): GovernorState {
    return {
      losses: [...this.#losses],
      gradients: [...this.#gradients],
      spikes: this.#spikes,
      rollbacks: this.#rollbacks,
    };
  }

  restore(state: GovernorState): void {
    this.#losses = [...state.losses];
    this.#gradients = [...state.gradients];
    this.#spikes = state.spikes;
    this.#rollbacks = state.rollbacks;
  }
}

function remember(values: number[], value: number, window: number): void {
  values.push(value);
  if (values.length > window) values.shift();
}

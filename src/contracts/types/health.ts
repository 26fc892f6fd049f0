/** How a slot fares, in numbers. Schemas in `contracts/health.ts` check the same. */

/** A number as the last tick found it, and its slope per tick over the last ticks. Null: not known. */
export interface Statistic {
  /** In the quantity's own unit. */
  readonly value: number | null;
  /** Of a line through the last ticks, in that unit per tick. */
  readonly slope: number | null;
}

/**
 * What the device tells of a slot at a tick: of h, the activation at the slot, and of δ = γ⊙f(h), what a seed would add to
 * it at full strength, over one control batch; and L2 norms of gradients.
 */
export interface SlotHealth {
  /** Mean of h. */
  readonly hMean: Statistic;
  /** Variance of h. */
  readonly hVariance: Statistic;
  /** Share of h's channels that are 0 throughout the batch. */
  readonly hDead: Statistic;
  /** Mean of δ. */
  readonly deltaMean: Statistic;
  /** Variance of δ. */
  readonly deltaVariance: Statistic;
  /** Share of δ's channels that are 0 throughout the batch. */
  readonly deltaDead: Statistic;
  /** L2 norm of the gradient of the seed's parameters. */
  readonly gradNorm: Statistic;
  /** L2 norm of the gradient of the parameters that feed the slot. */
  readonly hostGradNorm: Statistic;
}

/**
 * What the clock on the wall tells of a slot that holds a seed. Two runs of one seed differ in these and in nothing else, so
 * no decision may rest on them.
 */
export interface SlotTimes {
  /** Median of a training step, in milliseconds. */
  readonly stepP50: Statistic;
  /** 95th percentile of a training step, in milliseconds. */
  readonly stepP95: Statistic;
  /** Microseconds of a step that are the seed's. */
  readonly micros: Statistic;
}

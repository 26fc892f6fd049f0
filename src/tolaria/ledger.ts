/** What FLOPs are spent on: the network's own steps and updates, evaluating it, and seeds that it does not notice yet. */
export const EXPENSES = ["host", "evaluation", "incubation"] as const;
export type Expense = typeof EXPENSES[number];

export interface LedgerState {
  readonly spent: Readonly<Record<Expense, number>>;
  readonly deferred: number;
}

/**
 * Counts every FLOP of a run against its budget; failed seeds and evaluations included. What the compiler spends on trying
 * kernels depends on where and when it does, so it is counted by its reports, beside the budget that a run must repeat.
 */
export class Ledger {
  /** In FLOPs. */
  readonly budget: number;
  #spent: Record<Expense, number> = { host: 0, evaluation: 0, incubation: 0 };
  #deferred = 0;

  constructor(budget: number) {
    this.budget = budget;
  }

  charge(expense: Expense, flops: number): void {
    this.#spent[expense] += flops;
    if (expense === "incubation") this.#deferred += flops;
  }

  /** Spent so far, everything counted. */
  get total(): number {
    return EXPENSES.reduce((sum, expense) => sum + this.#spent[expense], 0);
  }

  /** FLOPs spent over FLOPs budgeted, 0 to 1. */
  get progress(): number {
    return Math.min(1, this.total / this.budget);
  }

  /**
   * The same less what incubation cost since the last `settle`: what the learning rate follows, so that the host learns
   * at the rate it would have learned at without the seeds beside it.
   */
  get clock(): number {
    return Math.min(1, (this.total - this.#deferred) / this.budget);
  }

  /** No seed incubates any more: the clock catches up. */
  settle(): void {
    this.#deferred = 0;
  }

  save(): LedgerState {
    return { spent: { ...this.#spent }, deferred: this.#deferred };
  }

  restore({ spent, deferred }: LedgerState): void {
    this.#spent = { ...spent };
    this.#deferred = deferred;
  }
}

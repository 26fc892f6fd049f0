/** What FLOPs are spent on. */
export const EXPENSES = ["host", "shadow", "evaluation"] as const;
export type Expense = typeof EXPENSES[number];

/** Counts every FLOP of a run against its budget; failed seeds and evaluations included. */
export class Ledger {
  readonly budget: number;
  #spent: Record<Expense, number> = { host: 0, shadow: 0, evaluation: 0 };

  /** @param budget In FLOPs. */
  constructor(budget: number) {
    this.budget = budget;
  }

  charge(expense: Expense, flops: number): void {
    this.#spent[expense] += flops;
  }

  get total(): number {
    return EXPENSES.reduce((sum, expense) => sum + this.#spent[expense], 0);
  }

  /** FLOPs spent over FLOPs budgeted, 0 to 1. */
  get progress(): number {
    return Math.min(1, this.total / this.budget);
  }

  save(): Record<Expense, number> {
    return { ...this.#spent };
  }

  restore(spent: Record<Expense, number>): void {
    this.#spent = { ...spent };
  }
}

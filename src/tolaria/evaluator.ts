import type { Measurement } from "../contracts/control.ts";
import type { MetricsRing } from "../engine/compile/metrics_ring.ts";
import type { StepQueue } from "../engine/compile/step_queue.ts";
import type { ExampleStore, PartName } from "../engine/data/example_store.ts";
import { queued, type Step, WEIGHTS } from "./assembly.ts";
import type { Expense, Ledger } from "./ledger.ts";

/** A program to evaluate, with the α of each slot. */
export interface Candidate {
  readonly step: Step;
  readonly alphas: Readonly<Record<string, number>>;
  /** What its FLOPs are charged to. Default: evaluation. */
  readonly expense?: Expense;
}

export interface Evaluation {
  /** Mean loss of each batch, in nats. */
  readonly losses: readonly number[];
  /** Mean over all examples. */
  readonly loss: number;
  /** Share of hits over all examples. */
  readonly accuracy: number;
}

/** Step values of the slots' α. */
export function alphaValues(alphas: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(alphas).map(([slot, alpha]) => [`alpha/${slot}`, alpha]));
}

/** Mean and standard error of paired or single batch values. */
export function measure(values: readonly number[]): Measurement {
  const n = values.length;
  const mean = values.reduce((total, value) => total + value, 0) / n;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, se: Math.sqrt(squares / Math.max(1, n - 1) / n), n };
}

/** Evaluates on parts of the data without touching what is trained. Charges the ledger. */
export class Evaluator {
  constructor(
    readonly queue: StepQueue,
    readonly examples: ExampleStore,
    readonly ring: MetricsRing,
    readonly ledger: Ledger,
    readonly batch: number,
  ) {}

  /** Evaluates `count` examples of a part from position `from` on, wrapping around its end: each candidate on the same. */
  async run(
    part: PartName,
    from: number,
    count: number,
    candidates: readonly Candidate[],
  ): Promise<Evaluation[]> {
    const rows: Float32Array[] = [];
    const sizes: number[] = [];
    for (let done = 0; done < count; done += this.batch) {
      const size = Math.min(this.batch, count - done);
      sizes.push(size);
      for (const { step, alphas, expense = "evaluation" } of candidates) {
        if (this.ring.full) rows.push(...await this.ring.drain());
        this.queue.submit([queued(step, {
          ...this.#batchValues(part, from + done, size),
          ...alphaValues(alphas),
          ...this.ring.next(),
        })]);
        this.ledger.charge(expense, step.program.flops);
      }
    }
    rows.push(...await this.ring.drain());
    return candidates.map((_, k) => summarise(rows.filter((_, row) => row % candidates.length === k), sizes));
  }

  #batchValues(part: PartName, from: number, size: number) {
    const total = this.examples.parts[part].count;
    const positions = Uint32Array.from({ length: this.batch }, (_, i) => (from + i) % total);
    const weights = Float32Array.from({ length: this.batch }, (_, i) => i < size ? 1 : 0);
    return { ...this.examples.stepValues(part, positions, 0, 0), [WEIGHTS]: weights };
  }
}

function summarise(rows: readonly Float32Array[], sizes: readonly number[]): Evaluation {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return {
    losses: rows.map(([loss], k) => loss / sizes[k]),
    loss: rows.reduce((sum, [loss]) => sum + loss, 0) / total,
    accuracy: rows.reduce((sum, [, hits]) => sum + hits, 0) / total,
  };
}

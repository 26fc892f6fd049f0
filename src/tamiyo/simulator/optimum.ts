import type { Action } from "../../contracts/control.ts";
import { upperBound } from "./bound.ts";
import type { Simulator } from "./simulator.ts";

/** The best that can be done with a task where nothing is noisy. */
export interface Optimum {
  /** Final loss advantage over the twin less rent, in nats. */
  readonly score: number;
  readonly plan: readonly Action[];
  /** Moments that were looked at. */
  readonly visited: number;
}

/** Bounds are compared with this much to spare, in nats. */
const SLACK = 1e-10;

/**
 * The optimum by dynamic programming over the moments of a run, each of which is gone on from once: rewards depend on the
 * end alone, so whatever led to a moment is past. Moments from which not even an optimist would beat the best end known are left
 * out; `bounded: false` looks at those, too.
 *
 * @param simulator Without noise. It is left where the search ends.
 */
export function findOptimum(simulator: Simulator, { bounded = true } = {}): Optimum {
  if (simulator.parts.noisy) throw new Error("findOptimum: want a simulator without noise, got a noisy one");
  const seen = new Set<string>();
  let best = { score: -Infinity, plan: [] as readonly Action[] };

  function visit(plan: readonly Action[]): void {
    const key = simulator.key();
    if (seen.has(key)) return;
    seen.add(key);
    const moment = simulator.save();
    const branches = simulator.legal().flatMap((action) => {
      simulator.restore(moment);
      const path = [...plan, action];
      if (simulator.advance(action)) {
        return [{ path, moment: simulator.save(), bound: upperBound(simulator) }];
      }
      if (simulator.score! > best.score) best = { score: simulator.score!, plan: path };
      return [];
    }).sort((a, b) => b.bound - a.bound);
    for (const { path, moment, bound } of branches) {
      if (bounded && bound <= best.score + SLACK) continue;
      simulator.restore(moment);
      visit(path);
    }
  }
  simulator.reset(0);
  visit([]);
  return { ...best, visited: seen.size };
}

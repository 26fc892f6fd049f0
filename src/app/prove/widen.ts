import type { RunConfig } from "../../contracts/config.ts";
import { usageError } from "../../util/errors.ts";
import type { NetworkSize } from "../options.ts";

type Host = RunConfig["host"];

/** Keys of hosts that hold widths: of one layer, or of each. */
const WIDTHS: readonly string[] = ["channels", "hidden", "width", "widths"];

/** A host with all its widths times `factor`, rounded. */
function scaled(host: Host, factor: number): Host {
  const wide = (width: number) => Math.max(1, Math.round(width * factor));
  const entries = Object.entries(host).map(([key, value]) => {
    if (!WIDTHS.includes(key)) return [key, value];
    return [key, Array.isArray(value) ? value.map(wide) : wide(value as number)];
  });
  return Object.fromEntries(entries);
}

/**
 * The host of a task, uniformly widened to the number of parameters nearest to `params`.
 *
 * @throws {UserError} of a host that has no widths in its description.
 */
export function widened(task: RunConfig, params: number, sizeOf: (config: RunConfig) => NetworkSize): Host {
  if (!Object.keys(task.host).some((key) => WIDTHS.includes(key))) {
    throw usageError(`prove: arm widened: want a host with widths, got one of kind ${task.host.kind}`);
  }
  const paramsAt = (factor: number) => sizeOf({ ...task, host: scaled(task.host, factor) }).params;
  let low = 1, high = 2;
  while (paramsAt(high) < params) high *= 2;
  for (let k = 0; k < 12; k++) {
    const middle = (low + high) / 2;
    if (paramsAt(middle) < params) low = middle;
    else high = middle;
  }
  const nearer = params - paramsAt(low) <= paramsAt(high) - params ? low : high;
  return scaled(task.host, nearer);
}

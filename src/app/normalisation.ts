import type { NetworkInput } from "../contracts/exported.ts";

/** Differences below this come from rounding. */
const TOLERANCE = 1e-3;

type Normalised = Pick<NetworkInput, "normalisation">;

/** What to tell where data is normalised otherwise than a network from a file was trained with; null where it is not. */
export function normalisationNotice(file: Normalised, data: Normalised): string | null {
  const numbers = ({ normalisation }: Normalised) =>
    normalisation ? [...normalisation.mean, ...normalisation.std] : [];
  const own = numbers(file), now = numbers(data);
  if (own.length === now.length && own.every((value, k) => Math.abs(value - now[k]) <= TOLERANCE)) {
    return null;
  }
  const words = ({ normalisation }: Normalised) => {
    if (!normalisation) return "not at all";
    const list = (values: readonly number[]) => values.map((value) => value.toFixed(3)).join(", ");
    return `by mean ${list(normalisation.mean)} and deviation ${list(normalisation.std)}`;
  };
  return `the network from the file was trained on inputs normalised ${words(file)}; ` +
    `this data is normalised by its own statistics: ${words(data)}`;
}

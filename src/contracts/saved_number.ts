/** JSON has no NaN and no infinities, which measurements may be: in what is saved they stand as text. */
import { z } from "zod";

/** A number as `encodeNumbers` writes it; read, it is a number again. */
export const SavedNumber = z.union([
  z.number(),
  z.enum(["#NaN", "#Infinity", "#-Infinity"]).transform((text) => Number(text.slice(1))),
]);

/** The same value with text in the place of all numbers that JSON cannot hold. */
export function encodeNumbers(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return `#${value}`;
  if (Array.isArray(value)) return value.map(encodeNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encodeNumbers(item)]));
}

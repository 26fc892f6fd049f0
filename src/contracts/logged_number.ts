import { z } from "zod";

/** Any number at all: in logs, which are JSON, those that are not finite stand as text. Read, it is a number again. */
export const LoggedNumber = z.union([
  z.custom<number>((value) => typeof value === "number", "Invalid input: expected number"),
  z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number),
]);

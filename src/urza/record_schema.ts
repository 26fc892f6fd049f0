import { z } from "zod";
import { UserError } from "../util/errors.ts";
import type { Json } from "../util/json.ts";
import type { AssetRecord, Hash, RecordKind } from "./store.ts";

const State = z.enum(["UNVALIDATED", "COMPILING", "VALIDATED", "INVALID", "DEPLOYED", "RETIRED"]);
const json = z.custom<Json>((value) => value !== undefined);

const Record = z.strictObject({
  kind: z.enum(["blueprint", "kernel"]),
  hash: z.string(),
  state: State,
  lease: z.strictObject({ owner: z.string(), until: z.number() }).nullable(),
  meta: json,
  report: json,
  history: z.array(z.strictObject({ from: State, to: State, time: z.number(), reason: z.string() })),
}).refine(({ state, lease }) => (state === "COMPILING") === (lease !== null), {
  path: ["lease"],
  error: "want one exactly while COMPILING",
});

/**
 * A file's content as the record that the file's name says.
 *
 * @throws with the file and what is wrong with it: whoever wrote it may have had other ideas of a record
 */
export function parseRecord(value: Json, kind: RecordKind, hash: Hash, file: string): AssetRecord {
  const fail = (what: string) =>
    new UserError(
      `urza: want a record of ${kind} ${hash} in ${file}, got ${what}; ` +
        `"store verify --repair" moves it aside, and it is made again when it is needed`,
    );
  const result = Record.safeParse(value);
  if (!result.success) {
    const { path, message } = result.error.issues[0];
    throw fail(`one with a fault in ${path.join(".") || "its whole"} (${message})`);
  }
  const { data } = result;
  if (data.kind !== kind || data.hash !== hash) throw fail(`that of ${data.kind} ${data.hash}`);
  return data;
}

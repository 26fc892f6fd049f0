import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";

/**
 * The entry of a table that the word after a command names.
 *
 * @throws {UserError} exit code 2: names the words there are, and the nearest
 */
export function chosenAction<T>(
  command: string,
  actions: Readonly<Record<string, T>>,
  name: string | undefined,
): T {
  if (name !== undefined && Object.hasOwn(actions, name)) return actions[name];
  const names = Object.keys(actions);
  const got = name === undefined ? "nothing" : `"${name}"${suggestion(name, names)}`;
  throw usageError(`${command}: want ${names.slice(0, -1).join(", ")} or ${names.at(-1)}, got ${got}`);
}

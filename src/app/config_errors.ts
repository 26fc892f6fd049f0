/** What is wrong with a configuration, one line a problem: path, want, got, nearest name. */
import type { z } from "zod";
import { nearest, suggestion } from "../util/nearest.ts";
import { allKeys, configSchema, findNode } from "./config_schema.ts";

type Issue = z.core.$ZodIssue;

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

function list(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`;
}

const UNITS: Readonly<Record<string, string>> = { array: " entries", string: " characters" };

function bound(issue: { origin: string; inclusive?: boolean }, sign: string, limit: number | bigint): string {
  const unit = UNITS[issue.origin];
  if (unit !== undefined) return `${sign === ">" ? "at least" : "at most"} ${limit}${unit}`;
  return `a number ${sign}${issue.inclusive ? "=" : ""} ${limit}`;
}

function wanted(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "int" ? "integer" : issue.expected;
    case "too_small":
      return bound(issue, ">", issue.minimum);
    case "too_big":
      return bound(issue, "<", issue.maximum);
    case "invalid_value":
      return list(issue.values);
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? list(issue.options)
        : [...new Set(issue.errors.flat().map(wanted))].join(" or ");
    default:
      return issue.message.replace(/^want /, "");
  }
}

/** `; did you mean "train.batch"?` for a key that is not there: a neighbour, or the same key in another section. */
export function keySuggestion(
  key: string,
  prefix: readonly string[],
  known: readonly string[],
  schema = configSchema(),
): string {
  const full = (name: string) => [...prefix, name].join(".");
  const near = nearest(key, known);
  const elsewhere = allKeys(schema).find((path) => path.endsWith(`.${key}`) && path !== full(key));
  const meant = near === null ? elsewhere : full(near);
  return meant === undefined
    ? `; there is ${known.map(full).sort().join(", ")}`
    : `; did you mean "${meant}"?`;
}

/** One line for each problem that zod found in `config`. */
export function describeIssues(
  issues: readonly Issue[],
  config: unknown,
  schema = configSchema(),
): string[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const found = findNode([...path, key], config, schema);
        const known = "known" in found ? found.known : [];
        return `unknown key "${[...path, key].join(".")}"${keySuggestion(key, path, known, schema)}`;
      });
    }
    const got = valueAt(config, issue.path);
    const options = issue.code === "invalid_union" && "options" in issue ? issue.options : undefined;
    const names = issue.code === "invalid_value" ? issue.values : (options as unknown[] | undefined) ?? [];
    const hint = typeof got === "string" && names.every((name) => typeof name === "string")
      ? suggestion(got, names as string[]).replace(/^; there is .*/, "")
      : "";
    return [
      `${path.join(".") || "the file"}: want ${wanted(issue)}, got ${
        JSON.stringify(got) ?? "nothing"
      }${hint}`,
    ];
  });
}

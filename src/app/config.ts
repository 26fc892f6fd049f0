/** From a configuration file, a profile and overrides to a checked `RunConfig`. */
import { type ProfileName, PROFILES, RunConfig } from "../contracts/config.ts";
import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import { describeIssues, keySuggestion } from "./config_errors.ts";
import { checkBlueprintNames } from "./config_names.ts";
import { alternatives, configSchema, findNode, propertiesAt, type SchemaNode } from "./config_schema.ts";
import { parseJson } from "../util/json.ts";

type Json = Record<string, unknown>;

/** A parsed configuration file with what the command line lays over it; resolved once the profile is known. */
export interface ConfigSource {
  /** Content of the file: `RunConfigInput`, with `$schema` and `profiles` beside it. */
  readonly file: unknown;
  /** `a.b=value`, in order. */
  readonly sets: readonly string[];
  /** Values of flags that stand for a key, such as `--seed`; they win over everything. */
  readonly flags: Readonly<Record<string, unknown>>;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Where `kind` changes, the keys that only the old kind had are left out. */
function keptKeys(base: Json, patch: Json, schema: SchemaNode): Json {
  if (patch.kind === undefined || patch.kind === base.kind) return { ...base };
  const known = propertiesAt(schema, patch);
  const old = propertiesAt(schema, base);
  return Object.fromEntries(Object.entries(base).filter(([key]) => key in known || !(key in old)));
}

/**
 * Lays `patch` over `base`: objects key by key, anything else as a whole; `null` removes a key (JSON merge patch).
 */
export function mergeConfig(base: unknown, patch: unknown, schema: SchemaNode = configSchema()): unknown {
  if (!isObject(patch)) return patch;
  const result = isObject(base) ? keptKeys(base, patch, schema) : {};
  const properties = propertiesAt(schema, { ...result, ...patch });
  for (const [key, value] of Object.entries(patch)) {
    // It would set what an object inherits, unseen by the schema.
    if (key === "__proto__") throw usageError('config: unknown key "__proto__"');
    if (value === null) delete result[key];
    else result[key] = mergeConfig(result[key], value, properties[key] ?? {});
  }
  return result;
}

function readNumber(text: string): unknown {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** Reads text as the type that `node` wants; text that does not fit stays text, for the schema to refuse. */
function readValue(text: string, node: SchemaNode): unknown {
  if (text === "null") return null;
  const nodes = alternatives(node, undefined);
  const wants = (type: string) => nodes.some((one) => (one.type ?? typeof one.const) === type);
  const plain = wants("number") || wants("integer") ? readNumber(text) : text;
  if (plain !== text) return plain;
  if (wants("boolean") && (text === "true" || text === "false")) return text === "true";
  const value = wants("array") || wants("object") ? readJson(text) : text;
  if (typeof value === "object") return value;
  return wants("array") && !wants("string") ? text.split(",").map((item) => readNumber(item.trim())) : text;
}

/** Applies one `a.b=value`, typed by the schema. Lists are written `4,8,16` or as JSON. */
export function applySet(config: unknown, assignment: string, schema = configSchema()): unknown {
  const equals = assignment.indexOf("=");
  if (equals <= 0) throw usageError(`--set: want KEY=VALUE such as train.batch=64, got "${assignment}"`);
  const path = assignment.slice(0, equals).split(".");
  const found = findNode(path, config, schema);
  if ("unknown" in found) {
    const name = [...found.prefix, found.unknown].join(".");
    throw usageError(
      `--set: unknown key "${name}"${keySuggestion(found.unknown, found.prefix, found.known, schema)}`,
    );
  }
  const value = readValue(assignment.slice(equals + 1), found.node);
  return mergeConfig(config, path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value), schema);
}

function profileOf(profiles: unknown, name: ProfileName): unknown {
  if (profiles === undefined) return {};
  if (!isObject(profiles)) {
    throw usageError(`config: profiles: want an object, got ${JSON.stringify(profiles)}`);
  }
  for (const key of Object.keys(profiles)) {
    if (!(PROFILES as readonly string[]).includes(key)) {
      throw usageError(`config: unknown key "profiles.${key}"${suggestion(key, PROFILES)}`);
    }
  }
  return profiles[name] ?? {};
}

/**
 * Merges file < profile < `--set` < flags, fills in the defaults and checks the whole.
 * @throws {UserError} exit code 2; one line a problem, each with path, want and got
 */
export function resolveConfig(source: ConfigSource, profile: ProfileName): RunConfig {
  if (!isObject(source.file)) throw usageError(`config: want an object, got ${JSON.stringify(source.file)}`);
  const { $schema: _schema, profiles, ...file } = source.file;
  const withProfile = mergeConfig(file, profileOf(profiles, profile));
  const withSets = source.sets.reduce<unknown>((config, set) => applySet(config, set), withProfile);
  const merged = mergeConfig(withSets, source.flags);
  const parsed = RunConfig.safeParse(merged);
  if (parsed.success) {
    checkBlueprintNames(parsed.data);
    return parsed.data;
  }
  throw usageError(describeIssues(parsed.error.issues, merged).map((line) => `config: ${line}`).join("\n"));
}

/** The configuration's JSON schema: what editors complete by, and what `--set` and error messages look keys up in. */
import { z } from "zod";
import { PROFILES, RunConfig } from "../contracts/config.ts";
import { PolicyTraining } from "../contracts/policy_training.ts";

/** The part of JSON schema that zod writes for configurations. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

let cached: SchemaNode | undefined;

/** JSON schema of a run configuration. */
export function configSchema(): SchemaNode {
  return cached ??= z.toJSONSchema(RunConfig, { io: "input" }) as SchemaNode;
}

let cachedPolicy: SchemaNode | undefined;

/** JSON schema of the configuration of a policy's training. */
export function policySchema(): SchemaNode {
  return cachedPolicy ??= z.toJSONSchema(PolicyTraining, { io: "input" }) as SchemaNode;
}

const OWN = { type: "string", description: "This schema, for the editor." };

/** JSON schema of a file in `configs/policies/` that configures a training, with `$schema` beside it. */
export function policyFileSchema(): SchemaNode {
  const root = policySchema();
  return { ...root, properties: { $schema: OWN, ...root.properties } };
}

/** The same for a part of the object: nothing required, and a union may fit several ways (anyOf, not oneOf). */
function partOf(node: SchemaNode): SchemaNode {
  const { required: _required, default: _default, oneOf, anyOf, properties, ...rest } = node;
  const union = oneOf ?? anyOf;
  const parts = Object.entries(properties ?? {}).map(([key, child]) => [key, partOf(child)]);
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(parts) }),
    ...(union && { anyOf: union.map(partOf) }),
  };
}

/** JSON schema of a file in `configs/`: a run configuration with `$schema` and `profiles` beside it. */
export function configFileSchema(): SchemaNode {
  const root = configSchema();
  const { $schema: _schema, ...part } = partOf(root) as SchemaNode & { $schema?: string };
  return {
    ...root,
    properties: {
      $schema: OWN,
      profiles: {
        type: "object",
        description: "Changes by kind of adapter; null removes a key.",
        properties: Object.fromEntries(PROFILES.map((name) => [name, { $ref: "#/$defs/profile" }])),
      },
      ...root.properties,
    },
    $defs: { profile: part },
  };
}

function kindOf(value: unknown): unknown {
  return (value as { kind?: unknown } | null | undefined)?.kind;
}

/** The alternatives of a union that fit the `kind` of `value`; all of them where it has none that is known. */
export function alternatives(node: SchemaNode, value: unknown): readonly SchemaNode[] {
  const all = node.oneOf ?? node.anyOf ?? [node];
  const kind = kindOf(value);
  const fitting = all.filter(({ properties }) =>
    properties?.kind !== undefined && (properties.kind.const === kind || properties.kind.enum?.includes(kind))
  );
  return fitting.length > 0 ? fitting : all;
}

/** The keys that an object at `node` may have, given what it holds so far. */
export function propertiesAt(node: SchemaNode, value: unknown): Record<string, SchemaNode> {
  return Object.assign({}, ...alternatives(node, value).map(({ properties }) => properties));
}

/** The node at `path`, or the first unknown key on the way with its neighbours. */
export function findNode(
  path: readonly string[],
  config: unknown,
  root = configSchema(),
): { node: SchemaNode } | { unknown: string; prefix: readonly string[]; known: readonly string[] } {
  let node = root, value = config;
  for (const [depth, key] of path.entries()) {
    const properties = propertiesAt(node, value);
    if (!Object.hasOwn(properties, key)) {
      return { unknown: key, prefix: path.slice(0, depth), known: Object.keys(properties) };
    }
    node = properties[key];
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  return { node };
}

/** Every dotted key there is. */
export function allKeys(node = configSchema(), prefix: readonly string[] = []): string[] {
  return Object.entries(propertiesAt(node, undefined)).flatMap(([key, child]) => [
    [...prefix, key].join("."),
    ...allKeys(child, [...prefix, key]),
  ]);
}

/** Writes the JSON schemas of configurations to `configs/schema/`: `deno task schema`. */
import { configFileSchema, policyFileSchema } from "../app/config_schema.ts";

const SCHEMAS = { "run.schema.json": configFileSchema, "policy.schema.json": policyFileSchema };
type SchemaName = keyof typeof SCHEMAS;

export const SCHEMA_NAMES = Object.keys(SCHEMAS) as SchemaName[];

export const schemaFile = (name: SchemaName) => new URL(`../../configs/schema/${name}`, import.meta.url);

/** A file's text, as it must stand in the repository. */
export function schemaFileText(name: SchemaName): string {
  return JSON.stringify(SCHEMAS[name](), null, 1) + "\n";
}

if (import.meta.main) {
  for (const name of SCHEMA_NAMES) await Deno.writeTextFile(schemaFile(name), schemaFileText(name));
}

/** Writes the configuration's JSON schema to `configs/schema/run.schema.json`: `deno task schema`. */
import { configFileSchema } from "../app/config_schema.ts";

export const SCHEMA_FILE = new URL("../../configs/schema/run.schema.json", import.meta.url);

/** The file's text, as it must stand in the repository. */
export function schemaFileText(): string {
  return JSON.stringify(configFileSchema(), null, 1) + "\n";
}

if (import.meta.main) await Deno.writeTextFile(SCHEMA_FILE, schemaFileText());

/** What `export` prints. */
import type { ExportResult } from "../app/export.ts";
import { formatShape } from "../util/shape.ts";
import { formatBytes, formatCount } from "./format.ts";

/** Lines that say what was written, and what it takes. */
export function exportLines({ path, sizeBytes, network, parameters, name }: ExportResult): string[] {
  const { input, fossils, origin } = network;
  return [
    `${name}: ${formatCount(parameters)} parameters, ${fossils.length} ${
      fossils.length === 1 ? "fossil" : "fossils"
    }, from ${origin.run} at step ${origin.step}, trained on ${origin.dataset}`,
    `input ${formatShape(input.shape)}, ${input.classes.length} classes`,
    `written to ${path} (${formatBytes(sizeBytes)})`,
  ];
}

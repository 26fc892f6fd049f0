import type { ExportedNetwork } from "../contracts/exported.ts";
import { writeOnnx } from "../engine/io/onnx.ts";
import { sizeOf } from "../util/shape.ts";
import { type LoadedNetwork, readNetwork, writeNetwork } from "./export_file.ts";
import { networkOfRun } from "./export_run.ts";

/** Forms in which a network leaves, and how it is written in each. */
const writers = {
  safetensors: writeNetwork,
  onnx: ({ model, description, tensors }: LoadedNetwork) =>
    writeOnnx(model, {
      values: Object.fromEntries(
        Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array]),
      ),
      normalisation: description.input.normalisation,
      producer: { name: "esper", version: description.origin.esper },
      about: aboutOf(description),
      metadata: {
        classes: JSON.stringify(description.input.classes),
        origin: JSON.stringify(description.origin),
      },
    }),
};

/** For whoever opens the file elsewhere. */
function aboutOf({ input, origin }: ExportedNetwork): string {
  const takes = input.normalisation
    ? "pixels from 0 to 1, RGB or grey, which the network normalises itself"
    : "values as they are";
  return `${origin.run} at step ${origin.step}, trained on ${origin.dataset}. Input: ${takes}. Output: logits of ${input.classes.length} classes.`;
}

export const EXPORT_FORMATS = Object.keys(writers) as (keyof typeof writers)[];
export type ExportFormat = keyof typeof writers;

export interface ExportResult {
  readonly path: string;
  readonly sizeBytes: number;
  readonly network: ExportedNetwork;
  /** Of the network and its fossils, running averages not counted. */
  readonly parameters: number;
  readonly name: string;
}

/**
 * Writes the compacted network of a run's newest checkpoint, or of the one called `checkpoint`. What is written as safetensors was read back before, and is
 * the same network bit for bit.
 *
 * @throws {UserError} where the run is not whole, or the file cannot be written.
 */
export async function exportRun(
  { directory, format, out, checkpoint = null }: {
    directory: string;
    format: ExportFormat;
    out: string | null;
    checkpoint?: string | null;
  },
): Promise<ExportResult> {
  const { openRun, writeNetworkFile } = await import("./adapters/export_files.ts");
  const network = await networkOfRun(openRun(directory), checkpoint);
  const path = out ?? `${directory.replace(/\/+$/, "")}/model.${format}`;
  const loaded = readNetwork(writeNetwork(network), path);
  const bytes = writers[format](loaded);
  writeNetworkFile(path, bytes);
  return {
    path,
    sizeBytes: bytes.length,
    network: loaded.description,
    parameters: parametersOf(loaded),
    name: loaded.model.name,
  };
}

function parametersOf({ tensors }: LoadedNetwork): number {
  return Object.entries(tensors).filter(([name]) => !name.endsWith("/statistics"))
    .reduce((total, [, { shape }]) => total + sizeOf(shape), 0);
}

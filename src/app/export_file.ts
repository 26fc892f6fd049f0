import { ExportedNetwork } from "../contracts/exported.ts";
import { readSafetensors, writeSafetensors } from "../engine/io/safetensors.ts";
import type { Model } from "../engine/nn/scope.ts";
import { BlueprintError, parseBlueprint } from "../tezzeret/mod.ts";
import { UserError } from "../util/errors.ts";
import type { Tensors } from "./export_compact.ts";
import { checkTensors, networkOf } from "./export_network.ts";
import { parseJson } from "../util/json.ts";

/** Key of the file's metadata that holds the description, as JSON. */
const DESCRIPTION = "esper";
/** Longest description: many times that of any network there is. */
const MAX_DESCRIPTION = 1_000_000;

/** A network as files hold it. */
export interface NetworkFile {
  readonly description: ExportedNetwork;
  /** Parameters and running averages, named and laid out as the engine does: NHWC, weights [KH, KW, Cin, Cout]. */
  readonly tensors: Tensors;
}

/** What was read from a file, and the network that it is. */
export interface LoadedNetwork extends NetworkFile {
  readonly model: Model;
}

/** The bytes of a safetensors file that `readNetwork` makes the same network of, bit for bit. */
export function writeNetwork({ description, tensors }: NetworkFile): Uint8Array<ArrayBuffer> {
  return writeSafetensors({
    tensors,
    metadata: { [DESCRIPTION]: JSON.stringify(description), format: "esper" },
  });
}

/**
 * Reads an exported network. Nothing in a file is believed: description, blueprints, names and sizes of all tensors are
 * checked against each other before anything is built from them.
 *
 * @param file What errors call the file.
 * @throws {UserError} naming what is wrong.
 */
export function readNetwork(bytes: Uint8Array, file: string): LoadedNetwork {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const description = describe(metadata, file);
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      // A slot of another shape than the blueprint's, a host that the input is too small for.
      const known = error instanceof BlueprintError || error instanceof UserError ||
        error instanceof RangeError ||
        error instanceof TypeError;
      if (!known) throw error;
      throw new UserError(`${file}: want a network that can be built, got: ${error.message}`, {
        cause: error,
      });
    }
  };
  const model = attempt(() => {
    description.fossils.forEach(({ blueprint }) => parseBlueprint(blueprint));
    return networkOf(description, tensors);
  });
  attempt(() => checkTensors(model, tensors, file));
  return { description, tensors, model };
}

function describe(metadata: Readonly<Record<string, string>>, file: string): ExportedNetwork {
  const text = Object.hasOwn(metadata, DESCRIPTION) ? metadata[DESCRIPTION] : null;
  const fail = (got: string) =>
    new UserError(`${file}: want a network that \`main.ts export\` wrote, got ${got}; export it again`);
  if (text === null) throw fail(`no "${DESCRIPTION}" in the metadata`);
  if (text.length > MAX_DESCRIPTION) throw fail(`a description of ${text.length} characters`);
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw fail(`a description that is not JSON (${(error as Error).message})`);
  }
  const parsed = ExportedNetwork.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw fail(`a description with trouble at ${path.join(".") || "its top"}: ${message}`);
}

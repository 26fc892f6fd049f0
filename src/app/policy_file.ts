/** Policies as files: weights as safetensors, and a description of where they come from in its metadata. */
import { PolicyManifest } from "../contracts/policy.ts";
import { readSafetensors, type SafeTensor, writeSafetensors } from "../engine/io/safetensors.ts";
import type { ParameterSpec } from "../engine/nn/scope.ts";
import { UserError } from "../util/errors.ts";
import { canonicalJson, parseJson } from "../util/json.ts";
import { formatShape, sameShape } from "../util/shape.ts";

/** Key of the file's metadata that holds the description, as JSON. */
const DESCRIPTION = "esper-policy";
/** Longest description: many times that of any policy there is. */
const MAX_DESCRIPTION = 1_000_000;

/** A policy as files hold it. */
export interface PolicyFile {
  readonly manifest: PolicyManifest;
  readonly weights: Readonly<Record<string, SafeTensor>>;
}

/** What weights must be for. */
export interface PolicyForm {
  readonly architecture: string;
  readonly parameters: readonly Pick<ParameterSpec, "name" | "shape">[];
}

/** The bytes of a policy file. */
export function writePolicy({ manifest, weights }: PolicyFile): Uint8Array<ArrayBuffer> {
  return writeSafetensors({
    tensors: weights,
    metadata: { [DESCRIPTION]: canonicalJson(PolicyManifest.parse(manifest)), format: "esper" },
  });
}

/**
 * Reads a policy. Description, names, shapes and numbers are checked before anything decides by them.
 *
 * @param file What errors call the file.
 * @throws {UserError} naming what is wrong.
 */
export function readPolicy(bytes: Uint8Array, file: string, form: PolicyForm): PolicyFile {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const fail = (want: string, got: string) =>
    new UserError(`${file}: want ${want}, got ${got}; train it again with \`main.ts train-policy\``);
  const manifest = describe(metadata, fail);
  if (manifest.architecture !== form.architecture) {
    throw fail(`a policy of architecture "${form.architecture}"`, `"${manifest.architecture}"`);
  }
  const known = new Set(form.parameters.map(({ name }) => name));
  const stranger = Object.keys(tensors).find((name) => !known.has(name));
  if (stranger !== undefined) throw fail("the network's parameters only", `"${stranger}"`);
  for (const { name, shape } of form.parameters) {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : null;
    const want = `parameter "${name}" as float32 ${formatShape(shape)}`;
    if (!tensor) throw fail(want, "none");
    const { data } = tensor;
    if (!(data instanceof Float32Array) || !sameShape(tensor.shape, shape)) {
      throw fail(want, `${data.constructor.name} ${formatShape(tensor.shape)}`);
    }
    if (!data.every(Number.isFinite)) throw fail(`finite numbers in "${name}"`, "NaN or infinity");
  }
  return { manifest, weights: tensors };
}

function describe(
  metadata: Readonly<Record<string, string>>,
  fail: (want: string, got: string) => UserError,
): PolicyManifest {
  const text = Object.hasOwn(metadata, DESCRIPTION) ? metadata[DESCRIPTION] : null;
  const want = "a policy with its description";
  if (text === null) throw fail(want, `no "${DESCRIPTION}" in the metadata`);
  if (text.length > MAX_DESCRIPTION) throw fail(want, `one of ${text.length} characters`);
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw fail(want, `one that is not JSON (${(error as Error).message})`);
  }
  const parsed = PolicyManifest.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw fail(want, `trouble at ${path.join(".") || "its top"}: ${message}`);
}

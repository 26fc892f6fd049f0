import { DamageError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson, type Json, parseJson } from "../util/json.ts";

const HEAD = '{"sha256":"', MIDDLE = '","value":', TAIL = "}\n";
const BODY_AT = HEAD.length + 64 + MIDDLE.length;

/** A JSON value as a JSON text that carries the SHA-256 of its own body: `{"sha256":"…","value":…}`. */
export async function seal(value: Json): Promise<Uint8Array> {
  const body = canonicalJson(value);
  return new TextEncoder().encode(HEAD + await sha256(body) + MIDDLE + body + TAIL);
}

/**
 * The value inside a sealed text.
 *
 * @throws when any byte is not the one that `seal` wrote; `file` is what the error calls the text
 */
export async function unseal(bytes: Uint8Array, file: string): Promise<Json> {
  const ascii = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  const end = bytes.length - TAIL.length;
  const stated = ascii(HEAD.length, HEAD.length + 64);
  const framed = /^[0-9a-f]{64}$/.test(stated) && end > BODY_AT &&
    ascii(0, BODY_AT) === HEAD + stated + MIDDLE && ascii(end, bytes.length) === TAIL;
  const cure = "the file is damaged, restore it or go back to an older one";
  if (!framed) throw new DamageError(`urza: want ${HEAD}…${MIDDLE}…} in ${file}, got another form; ${cure}`);
  const body = bytes.subarray(BODY_AT, end);
  const actual = await sha256(body);
  if (actual !== stated) {
    throw new DamageError(`urza: want content with SHA-256 ${stated} in ${file}, got ${actual}; ${cure}`);
  }
  try {
    return parseJson(new TextDecoder().decode(body)) as Json;
  } catch (error) {
    throw new DamageError(`urza: want JSON in ${file}, got: ${(error as Error).message}; ${cure}`);
  }
}

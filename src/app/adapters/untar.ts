import type { SourceFile } from "../../engine/data/dataset.ts";
import { UserError } from "../../util/errors.ts";

const BLOCK = 512, NAME_BYTES = 100, SIZE_AT = 124, SIZE_BYTES = 12, TYPE_AT = 156;
const REGULAR = ["0", "\0"];

/**
 * The regular files of a tar archive (POSIX ustar: a 512-byte header with name, octal size and type, then the content in whole
 * blocks); folders and extensions are passed over. The contents are views of `archive`.
 *
 * @throws where a size is not octal or the archive ends within a file.
 */
export function untar(archive: Uint8Array<ArrayBuffer>): SourceFile[] {
  const files: SourceFile[] = [];
  const text = (from: number, length: number) =>
    new TextDecoder().decode(archive.subarray(from, from + length)).split("\0")[0];
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const name = text(at, NAME_BYTES), octal = text(at + SIZE_AT, SIZE_BYTES).trim();
    if (!/^[0-7]+$/.test(octal)) {
      throw new UserError(`tar: want an octal size for ${name}, got "${octal}"; get the archive again`);
    }
    const size = parseInt(octal, 8), from = at + BLOCK;
    if (from + size > archive.length) {
      throw new UserError(
        `tar: want ${size} bytes of ${name}, got ${archive.length - from}; get the archive again`,
      );
    }
    const type = String.fromCharCode(archive[at + TYPE_AT]);
    if (REGULAR.includes(type)) files.push({ name, bytes: archive.subarray(from, from + size) });
    at = from + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

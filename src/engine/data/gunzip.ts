import { UserError } from "../../util/errors.ts";
import type { SourceFile } from "./dataset.ts";

const MAGIC = [0x1f, 0x8b];

/**
 * The unpacked bytes of a gzipped file; those of any other file as they are.
 *
 * @throws where the gzip stream ends early or its checksum is wrong.
 */
export async function gunzip({ name, bytes }: SourceFile): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1]) return bytes;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${name}: want a whole gzip file, got ${bytes.length} bytes (${cause}); get the file again`,
    );
  }
}

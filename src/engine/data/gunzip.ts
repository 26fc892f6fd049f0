import { UserError } from "../../util/errors.ts";
import type { SourceFile } from "./dataset.ts";

/** Most bytes unpacked: many times any data set read here, and less than what would exhaust the memory. */
const MAX_BYTES = 2 ** 30;
const MAGIC = [0x1f, 0x8b];

/**
 * The unpacked bytes of a gzipped file; those of any other file as they are.
 *
 * @throws where the gzip stream ends early or its checksum is wrong.
 */
export async function gunzip({ name, bytes }: SourceFile): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1]) return bytes;
  try {
    let size = 0;
    const limited = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        size += chunk.length;
        if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes unpacked`);
        controller.enqueue(chunk);
      },
    });
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).pipeThrough(
      limited,
    );
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${name}: want a whole gzip file, got ${bytes.length} bytes (${cause}); get the file again`,
    );
  }
}

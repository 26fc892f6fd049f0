/** CIFAR-10 in its official layout with a few records a file: what data tests and local servers use. */
import { CIFAR10_FILES } from "../../src/engine/data/cifar10.ts";
import type { SourceFile } from "../../src/engine/data/dataset.ts";

const RECORD = 3073;

/** Six files; record r of file f has label (f + r) mod 10, and channel c of its pixel p is (f + r + p + 50 c) mod 256. */
export function tinyCifar10(recordsPerFile: number): SourceFile[] {
  return CIFAR10_FILES.map((name, f) => {
    const bytes = new Uint8Array(recordsPerFile * RECORD);
    for (let r = 0; r < recordsPerFile; r++) {
      bytes[r * RECORD] = (f + r) % 10;
      for (let i = 0; i < RECORD - 1; i++) {
        bytes[r * RECORD + 1 + i] = f + r + i % 1024 + 50 * Math.floor(i / 1024);
      }
    }
    return { name, bytes };
  });
}

/** Writes files into a folder, which is made. */
export async function writeFiles(folder: string, files: readonly SourceFile[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const { name, bytes } of files) await Deno.writeFile(`${folder}/${name}`, bytes);
}

/** A ustar archive with a folder entry and the files in it, gzipped. */
export async function tarGz(folder: string, files: readonly SourceFile[]): Promise<Uint8Array<ArrayBuffer>> {
  const blocks = [header(`${folder}/`, 0, "5")];
  for (const { name, bytes } of files) {
    blocks.push(header(`${folder}/${name}`, bytes.length, "0"), bytes);
    blocks.push(new Uint8Array((512 - bytes.length % 512) % 512));
  }
  blocks.push(new Uint8Array(1024));
  const stream = new Blob(blocks).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function header(name: string, size: number, type: string): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(512), encoder = new TextEncoder();
  block.set(encoder.encode(name));
  block.set(encoder.encode(`${size.toString(8).padStart(11, "0")}\0`), 124);
  block.set(encoder.encode(type), 156);
  block.set(encoder.encode("ustar\x0000"), 257);
  return block;
}

/** Fashion-MNIST in its official IDX layout with a few images: what data tests use. */
import { FASHION_MNIST_FILES } from "../../src/engine/data/fashion_mnist.ts";
import type { SourceFile } from "../../src/engine/data/dataset.ts";

/** An IDX file of unsigned bytes. */
export function idxBytes(shape: readonly number[], data: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length), view = new DataView(bytes.buffer);
  bytes.set([0, 0, 8, shape.length]);
  shape.forEach((n, d) => view.setUint32(4 + 4 * d, n));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The four gzipped files; image i is all i, its label i mod 10. */
export async function tinyFashionMnist(train: number, test: number): Promise<SourceFile[]> {
  const images = (n: number) =>
    idxBytes([n, 28, 28], Array.from({ length: n * 784 }, (_, i) => Math.floor(i / 784)));
  const labels = (n: number) => idxBytes([n], Array.from({ length: n }, (_, i) => i % 10));
  const parts = [images(train), labels(train), images(test), labels(test)];
  return await Promise.all(
    parts.map(async (bytes, i) => ({ name: `${FASHION_MNIST_FILES[i]}.gz`, bytes: await gzip(bytes) })),
  );
}

import { assertEquals, assertThrows } from "@std/assert";
import { untar } from "../../src/app/adapters/untar.ts";
import { UserError } from "../../src/util/errors.ts";
import { tarGz } from "../support/tiny_cifar10.ts";

async function tar(): Promise<Uint8Array<ArrayBuffer>> {
  const files = [[600, 1], [0, 2], [512, 3]].map(([size, fill], i) => ({
    name: `file${i}`,
    bytes: new Uint8Array(size).fill(fill),
  }));
  const stream = new Blob([await tarGz("folder", files)]).stream().pipeThrough(
    new DecompressionStream("gzip"),
  );
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("untar() gives the regular files with their contents", async () => {
  const files = untar(await tar());
  assertEquals(files.map(({ name, bytes }) => [name, bytes.length]), [
    ["folder/file0", 600],
    ["folder/file1", 0],
    ["folder/file2", 512],
  ]);
  assertEquals(files[2].bytes, new Uint8Array(512).fill(3));
});

Deno.test("untar() says what is wrong with a broken archive", async () => {
  const archive = await tar();
  assertThrows(
    () => untar(archive.slice(0, 1200)),
    UserError,
    "tar: want 600 bytes of folder/file0, got 176; get the archive again",
  );
  archive[512 + 124] = 0x39;
  assertThrows(
    () => untar(archive),
    UserError,
    'tar: want an octal size for folder/file0, got "90000001130"',
  );
});

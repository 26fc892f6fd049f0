import { sha256 } from "../../util/hash.ts";
import { canonicalJson } from "../../util/json.ts";

const ROOT = new URL("../../../", import.meta.url);
/** What a run's numbers may depend on. */
const PLACES = ["kernels/", "shaders/", "src/"];
const KINDS = /\.(ts|wgsl|json)$/;

async function* filesIn(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesIn(new URL(`${name}/`, folder));
    else if (KINDS.test(name)) yield new URL(name, folder);
  }
}

/** SHA-256 of the program's source: of the names and bytes of all its files. */
export async function codeHash(): Promise<string> {
  const hashes: Record<string, string> = {};
  for (const place of PLACES) {
    for await (const file of filesIn(new URL(place, ROOT))) {
      hashes[file.href.slice(ROOT.href.length)] = await sha256(await Deno.readFile(file));
    }
  }
  return await sha256(canonicalJson(hashes));
}

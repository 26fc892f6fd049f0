/** The page as static files. */
import { build, stop } from "esbuild";
import { loadDigits } from "../../engine/data/digits.ts";
import { poolImages } from "../../engine/data/pixels.ts";
import { DIGIT_SIDE, encodeDigits } from "../digits_file.ts";
import type { AssetName } from "../training.ts";

/** Digits that the page brings along. */
const DIGITS = 4000;
const HERE = new URL("../", import.meta.url);
const POLICY = new URL("../../../configs/policies/default.safetensors", import.meta.url);

/** Files of a folder, by name. */
export type Site = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** Bundles page and worker and makes the data that they load. */
export async function buildSite(): Promise<Site> {
  const pathOf = (file: string) => decodeURIComponent(new URL(file, HERE).pathname);
  try {
    const { outputFiles } = await build({
      entryPoints: [pathOf("page.ts"), pathOf("worker.ts")],
      outdir: "/",
      bundle: true,
      write: false,
      minify: true,
      format: "esm",
      target: "es2023",
      loader: { ".wgsl": "text" },
      // Nothing that is bundled loads these, but code beside it could.
      external: ["mnist", "webgpu", "node:*"],
      alias: { zod: decodeURIComponent(new URL(import.meta.resolve("zod")).pathname) },
      logLevel: "silent",
    });
    const scripts = outputFiles.map(({ path, contents }) => [path.slice(1), Uint8Array.from(contents)]);
    const texts = ["index.html", "style.css"].map((name) => [name, Deno.readFileSync(new URL(name, HERE))]);
    return { ...Object.fromEntries([...texts, ...scripts]), ...await buildData() };
  } finally {
    await stop();
  }
}

/** What page and worker load when they want it. */
export async function buildData(): Promise<Record<AssetName, Uint8Array<ArrayBuffer>>> {
  const digits = encodeDigits(poolImages(await loadDigits(), DIGIT_SIDE), DIGITS);
  return { "digits.bin.gz": await gzip(digits), "policy.safetensors": Deno.readFileSync(POLICY) };
}

/** Bytes packed as browsers unpack them. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

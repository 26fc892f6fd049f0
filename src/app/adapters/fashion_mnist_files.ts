import { FASHION_MNIST_FILES, parseFashionMnist } from "../../engine/data/fashion_mnist.ts";
import type { LoadHooks, Located } from "./load_dataset.ts";
import { DataUnavailable, findFolder, readSourceFiles } from "./source_folder.ts";

/** Where Debian's package `dataset-fashion-mnist` puts the files. */
const DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist";

/**
 * Fashion-MNIST from `dir`, else from the folder FASHION_MNIST_DIR names, else from where Debian installs it; gzipped or not.
 *
 * @throws `DataUnavailable` where it is in none of them, a plain error where a file found is missing or broken.
 */
export async function loadFashionMnist(dir: string | undefined, hooks: LoadHooks = {}): Promise<Located> {
  const env = hooks.env ?? Deno.env.get;
  const names = FASHION_MNIST_FILES.map((name) => [`${name}.gz`, name]);
  const { dir: folder, missed } = await findFolder(
    [
      { what: "data.dir", dir },
      { what: "FASHION_MNIST_DIR", dir: env("FASHION_MNIST_DIR") || undefined },
      { what: "Debian's folder", dir: hooks.debianFolder ?? DEBIAN_FOLDER },
    ],
    "fashion-mnist",
    names.flat(),
  );
  if (folder === null) {
    throw new DataUnavailable("fashion-mnist", missed, [
      "--set data.dir=FOLDER",
      "FASHION_MNIST_DIR=FOLDER",
      "apt-get install dataset-fashion-mnist",
      "--set data.whenUnavailable=digits",
    ]);
  }
  const dataset = await parseFashionMnist(await readSourceFiles(folder, names));
  return {
    dataset,
    remark: missed.length === 0 ? null : `${missed.join("; ")}; Fashion-MNIST was read from ${folder}`,
  };
}

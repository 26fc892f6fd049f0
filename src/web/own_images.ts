/** Images of one's own in labelled buckets: dropped, picked, or a folder with a folder a label. */
import { html, say } from "./dom.ts";
import { IMAGE_SIDE, type OwnImages } from "./protocol.ts";

/** Most images of a bucket: more would only take memory. */
const MOST = 500;

interface Bucket {
  name: string;
  readonly images: Uint8ClampedArray[];
}

/** Cut to a square, drawn small, its transparency dropped. Null for what is no image. */
async function shrink(file: File): Promise<Uint8ClampedArray | null> {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  const side = Math.min(bitmap.width, bitmap.height);
  const pen = new OffscreenCanvas(IMAGE_SIDE, IMAGE_SIDE).getContext("2d")!;
  pen.imageSmoothingQuality = "high";
  const left = (bitmap.width - side) / 2, top = (bitmap.height - side) / 2;
  pen.drawImage(bitmap, left, top, side, side, 0, 0, IMAGE_SIDE, IMAGE_SIDE);
  bitmap.close();
  return pen.getImageData(0, 0, IMAGE_SIDE, IMAGE_SIDE).data.filter((_, k) => k % 4 !== 3);
}

/** The folder that a file of a dropped or picked folder lies in. */
const folderOf = (file: File) => file.webkitRelativePath.split("/").at(-2) ?? null;

/** What becomes of the buckets: `changed` is called with all images whenever some were added or taken away. */
export function makeBuckets(place: HTMLElement, changed: (images: OwnImages) => void): void {
  const buckets: Bucket[] = [{ name: "first", images: [] }, { name: "second", images: [] }];
  const list = html("div", { class: "buckets" }), told = html("p", { role: "status" });
  const folder = html("input", { type: "file", multiple: true, webkitdirectory: true, id: "own-folder" });
  const more = html("button", { type: "button" }, "Another bucket");
  place.replaceChildren(
    html("h3", {}, "Your own images"),
    html("p", {}, "At least ten in each bucket, more are better. They stay on your machine."),
    list,
    html("div", { class: "row" }, more),
    html("label", { for: "own-folder" }, "Or a folder that holds a folder for each label:"),
    folder,
    told,
  );

  async function add(bucket: Bucket, files: readonly File[]): Promise<void> {
    const room = MOST - bucket.images.length;
    const images = (await Promise.all(files.slice(0, room).map(shrink))).filter((image) => image !== null);
    bucket.images.push(...images);
    const left = files.length - images.length;
    say(told, left === 0 ? "" : `${left} files were left out: no images, or more than ${MOST} in a bucket`);
  }

  function tell(): void {
    show();
    const full = buckets.filter(({ images }) => images.length > 0);
    const pixels = new Uint8Array(full.flatMap(({ images }) => images.flatMap((image) => [...image])));
    changed({
      classes: full.map(({ name }) => name),
      pixels,
      labels: Uint8Array.from(full.flatMap(({ images }, label) => images.map(() => label))),
    });
  }

  function show(): void {
    list.replaceChildren(...buckets.map((bucket, k) => {
      const name = html("input", {
        type: "text",
        value: bucket.name,
        "aria-label": `Label of bucket ${k + 1}`,
      });
      const files = html("input", {
        type: "file",
        accept: "image/*",
        multiple: true,
        "aria-label": `Images for bucket ${k + 1}`,
      });
      const count = html("small", {}, `${bucket.images.length} images`);
      const box = html("div", { class: "bucket" }, name, files, count);
      name.addEventListener("change", () => {
        bucket.name = name.value.trim() || `bucket ${k + 1}`;
        if (bucket.images.length > 0) tell();
      });
      const take = async (chosen: Iterable<File>) => {
        await add(bucket, [...chosen]);
        tell();
      };
      files.addEventListener("change", () => take(files.files ?? []));
      box.addEventListener("dragover", (event) => event.preventDefault());
      box.addEventListener("drop", (event) => {
        event.preventDefault();
        take(event.dataTransfer?.files ?? []);
      });
      return box;
    }));
  }

  more.addEventListener("click", () => {
    buckets.push({ name: `bucket ${buckets.length + 1}`, images: [] });
    show();
  });
  folder.addEventListener("change", async () => {
    const named = Map.groupBy([...folder.files ?? []], folderOf);
    named.delete(null);
    buckets.length = 0;
    for (const [name, files] of named) {
      const bucket: Bucket = { name: name!, images: [] };
      buckets.push(bucket);
      await add(bucket, files);
    }
    tell();
  });
  show();
}

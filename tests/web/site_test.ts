import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadDigits } from "../../src/engine/data/digits.ts";
import { poolImages } from "../../src/engine/data/pixels.ts";
import { gunzip } from "../../src/engine/data/gunzip.ts";
import { buildData, buildSite, gzip } from "../../src/web/adapters/build.ts";
import { decodeDigits, DIGIT_SIDE } from "../../src/web/digits_file.ts";

/** Bytes that page and worker may weigh together, packed as servers pack them. */
const MOST_BYTES = 400_000;

// esbuild's process is told to stop and ends when it likes, perhaps in the next test.
const esbuildEndsLater = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "page and worker together stay below 400 kB, packed, and bring all that they ask for",
  esbuildEndsLater,
  async () => {
    const site = await buildSite();
    const code = Object.keys(site).filter((name) => /\.(js|css|html)$/.test(name));
    assertEquals(code.sort(), ["index.html", "page.js", "style.css", "worker.js"]);
    const sizes = await Promise.all(code.map(async (name) => (await gzip(site[name])).length));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert(total < MOST_BYTES, `${total} bytes: ${code.map((name, k) => `${name} ${sizes[k]}`).join(", ")}`);
    const text = code.map((name) => new TextDecoder().decode(site[name])).join("\n");
    const asked = [...text.matchAll(/"([\w.]+\.(?:js|css|gz|safetensors))"/g)].map(([, name]) => name);
    assertEquals(
      [...new Set(asked)].filter((name) => !(name in site) && !/^(default|config)/.test(name)),
      [],
    );
  },
);

Deno.test("the page asks no other machine for anything", () => {
  const read = (name: string) => Deno.readTextFileSync(new URL(`../../src/web/${name}`, import.meta.url));
  const page = read("index.html") + read("style.css");
  assertEquals(page.match(/(src|href|url\()\W*https?:/g), null);
});

Deno.test(
  "the digits of the page are the first of the data set, at half their side",
  esbuildEndsLater,
  async () => {
    const name = "digits.bin.gz";
    const { train, test, shape } = await decodeDigits(
      await gunzip({ name, bytes: (await buildData())[name] }),
    );
    const whole = poolImages(await loadDigits(), DIGIT_SIDE).train;
    assertEquals([shape, train.count, test.count], [[14, 14, 1], 3600, 400]);
    assertEquals(train.labels, whole.labels.slice(0, 3600));
    assertEquals(test.data, whole.data.slice(3600 * 196, 4000 * 196));
    await assertRejects(
      () => decodeDigits(new Uint8Array(1000)),
      Error,
      "want whole images with labels 0 to 9, got 1000 other bytes",
    );
  },
);

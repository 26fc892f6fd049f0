import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { denoDisk } from "../../src/urza/adapters/disk.ts";
import { createFileStore, fileMedium } from "../../src/urza/adapters/files.ts";
import { explainFileError } from "../../src/urza/adapters/file_errors.ts";
import { createStore } from "../../src/urza/create.ts";
import { verifyStore } from "../../src/urza/inspect.ts";
import { PIN_MS } from "../../src/urza/pins.ts";
import { sha256 } from "../../src/util/hash.ts";
import type { Json } from "../../src/util/json.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function withFolder(body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function filesUnder(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    names.push(...entry.isDirectory ? await filesUnder(path) : [path]);
  }
  return names;
}

Deno.test("createFileStore() reads what another instance wrote and leaves no temporary files", () =>
  withFolder(async (root) => {
    const store = createFileStore(`${root}/new/folder`);
    const hash = await store.put(bytesOf("abc"));
    await store.writeManifest("checkpoint", "a", { w: hash });
    const again = createFileStore(`${root}/new/folder`);
    assertEquals(await again.readManifest("checkpoint", "a"), { w: hash });
    assertEquals(await again.get(hash), bytesOf("abc"));
    assertEquals((await filesUnder(root)).sort(), [
      `${root}/new/folder/blobs/ba/${hash}`,
      `${root}/new/folder/gate`,
      `${root}/new/folder/lock`,
      `${root}/new/folder/manifests/checkpoint/a.json`,
    ]);
  }));

Deno.test("createFileStore() writes nothing before something is stored", () =>
  withFolder(async (root) => {
    const store = createFileStore(`${root}/later`);
    assertEquals(await store.listManifests("checkpoint"), []);
    assertEquals(await store.has("0".repeat(64)), false);
    assertEquals(await filesUnder(root), []);
  }));

Deno.test("fileMedium() a full disk is an error with a cure and keeps the old content", () =>
  withFolder(async (root) => {
    await createFileStore(root).writeManifest("checkpoint", "a", 1);
    const create = () => Deno.open("/dev/full", { write: true });
    const full = createStore(fileMedium(root, { ...denoDisk, create }));
    await assertRejects(
      () => full.writeManifest("checkpoint", "a", 2),
      Error,
      `urza: want to write ${root}/manifests/checkpoint/a.json, got a full disk (ENOSPC); ` +
        "free some space or choose another folder",
    );
    assertEquals(await full.readManifest("checkpoint", "a"), 1);
  }));

Deno.test("fileMedium() a write that fails half-way leaves no temporary file", () =>
  withFolder(async (root) => {
    const medium = fileMedium(root, {
      ...denoDisk,
      async create(path) {
        const file = await denoDisk.create(path);
        if (path.includes("/pins/")) return file;
        const write = () =>
          Promise.reject(Object.assign(new Error("No space left on device"), { code: "ENOSPC" }));
        return { write, sync: () => file.sync(), close: () => file.close() };
      },
    });
    await assertRejects(() => createStore(medium).put(bytesOf("abc")), Error, "got a full disk (ENOSPC)");
    assertEquals(await filesUnder(`${root}/tmp`), []);
    assertEquals(await createFileStore(root).has(await sha256("abc")), false);
  }));

Deno.test("createFileStore() an unwritable folder is an error with a cure", async () => {
  // Forbidden to the superuser, too, who may write into folders of any mode.
  const store = createFileStore("/sys/kernel/store");
  const error = await assertRejects(() => store.put(bytesOf("abc")), Error);
  assertMatch(
    error.message,
    /^urza: want to write \/sys\/kernel\/store\/lock, got .* \((EPERM|EACCES|EROFS)\); change its permissions or choose another folder$/,
  );
});

Deno.test("createFileStore() a file in place of the folder is an error with a cure", () =>
  withFolder(async (root) => {
    await Deno.writeTextFile(`${root}/runs`, "");
    const store = createFileStore(`${root}/runs`);
    await assertRejects(
      () => store.writeManifest("checkpoint", "a", 1),
      Error,
      `urza: want to write ${root}/runs/lock, got a file where a folder should be (EEXIST); ` +
        "choose another folder",
    );
  }));

Deno.test("explainFileError() has words for each refusal and passes on the rest", () => {
  const text = (code: string) =>
    (explainFileError("read", "a/b", Object.assign(new Error("x"), { code })) as Error).message;
  assertEquals(
    text("EROFS"),
    "urza: want to read a/b, got a read-only file system (EROFS); change its permissions or choose another folder",
  );
  assertMatch(text("EACCES"), /permission denied \(EACCES\)/);
  assertMatch(text("EPERM"), /operation not permitted \(EPERM\)/);
  assertMatch(text("EDQUOT"), /a used-up disk quota \(EDQUOT\); free some space/);
  assertMatch(text("EISDIR"), /a folder where a file should be \(EISDIR\)/);
  assertEquals(text("EIO"), "x");
  assertEquals(
    (explainFileError("write", "a", new Deno.errors.NotCapable("x")) as Error).message,
    "urza: want to write a, got no permission from Deno; run it with -A",
  );
});

Deno.test("collect() sweeps temporary files of killed writers, not those in work", () =>
  withFolder(async (root) => {
    let now = 0;
    const store = createFileStore(root, () => now);
    await store.put(bytesOf("abc"));
    now = PIN_MS;
    await Deno.writeTextFile(`${root}/tmp/old`, "x");
    await Deno.writeTextFile(`${root}/tmp/young`, "x");
    const yesterday = new Date(Date.now() - 86_400_000);
    await Deno.utime(`${root}/tmp/old`, yesterday, yesterday);
    assertEquals(await store.collect(), { blobs: 1, temporaries: 1, sizeBytes: 3 });
    assertEquals(await filesUnder(`${root}/tmp`), [`${root}/tmp/young`]);
  }));

const program = (body: string) => {
  const url = new URL("../../src/urza/adapters/files.ts", import.meta.url);
  return `import { createFileStore } from "${url}"; const store = createFileStore(Deno.args[0]); ${body}`;
};

function start(root: string, body: string, ...rest: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--ext=ts",
      `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
      `data:application/typescript,${encodeURIComponent(program(body))}`,
      root,
      ...rest,
    ],
    stdout: "piped",
  }).spawn();
}

Deno.test("createFileStore() a checkpoint is whole after kill -9 at any moment", () =>
  withFolder(async (root) => {
    const writer = `
      for (let step = 1;; step++) {
        const tensors = [];
        for (let i = 0; i < 4; i++) tensors.push(await store.put(new Uint8Array(100_000).fill(step + 50 * i)));
        await store.writeManifest("checkpoint", "last", { step, tensors });
        if (step === 1) console.log("ready");
      }`;
    let steps = 0;
    for (const delayMs of [0, 7, 23, 41]) {
      const child = start(root, writer);
      const reader = child.stdout.getReader();
      await reader.read();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
      const store = createFileStore(root);
      const last = await store.readManifest("checkpoint", "last") as { step: number; tensors: string[] };
      assert(last.step >= 1);
      for (const [i, hash] of last.tensors.entries()) {
        const bytes = await store.get(hash);
        assertEquals([bytes.length, bytes[0], bytes[99_999]], [
          100_000,
          last.step + 50 * i & 255,
          last.step + 50 * i & 255,
        ]);
      }
      steps += last.step;
      await store.collect();
      for (const hash of last.tensors) assert(await store.has(hash));
    }
    assert(steps >= 4);
  }));

Deno.test("claim() gives a lease to one of two processes", () =>
  withFolder(async (root) => {
    const hash = "a".repeat(64);
    const hashes = Array.from({ length: 10 }, (_, i) => hash.slice(1) + i);
    const store = createFileStore(root);
    for (const h of hashes) await store.records.register("kernel", h, null);
    const claimer = `
      let won = 0;
      for (const hash of Deno.args[1].split(",")) {
        await store.records.claim("kernel", hash, "p" + Deno.pid, 60_000).then(() => won++, () => {});
      }
      console.log(won);`;
    const outputs = await Promise.all([0, 1].map(() => start(root, claimer, hashes.join(",")).output()));
    const won = outputs.map(({ stdout }) => Number(new TextDecoder().decode(stdout)));
    assertEquals(won[0] + won[1], 10);
    for (const h of hashes) assertEquals((await store.records.read("kernel", h)).history.length, 1);
  }));

Deno.test("createFileStore() two processes write, remove and collect at once, and lose nothing of each other's", () =>
  withFolder(async (root) => {
    // Both put the same contents, so that each finds blobs that the other is about to let go of.
    const writer = `
      const name = Deno.args[1], kept = [];
      for (let round = 0; round < 12; round++) {
        const blobs = [];
        for (let i = 0; i < 3; i++) blobs.push(await store.put(new Uint8Array(2000).fill((round + i) % 7)));
        await store.writeManifest("checkpoint", name + round, { blobs });
        kept.push(name + round);
        if (kept.length > 2) await store.removeManifest("checkpoint", kept.shift());
        await store.collect();
        for (const last of kept) {
          for (const hash of (await store.readManifest("checkpoint", last)).blobs) await store.get(hash);
        }
      }
      console.log(kept.join(" "));`;
    const outputs = await Promise.all(["a", "b"].map((name) => start(root, writer, name).output()));
    const said = outputs.map(({ stdout }) => new TextDecoder().decode(stdout).trim());
    assertEquals(said, ["a10 a11", "b10 b11"]);
    const store = createFileStore(root);
    assertEquals(await store.listManifests("checkpoint"), ["a10", "a11", "b10", "b11"]);
    const references = (_: string, value: Json) => (value as { blobs: string[] }).blobs;
    const { faults, blobs } = await verifyStore(fileMedium(root), null, { references, repair: false });
    assertEquals([faults, blobs], [[], 4]);
    assertEquals(await filesUnder(`${root}/tmp`), []);
  }));

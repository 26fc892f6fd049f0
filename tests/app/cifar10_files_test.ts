import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Cifar10Source } from "../../src/app/adapters/cifar10_files.ts";
import { CIFAR10_SOURCE, loadCifar10 } from "../../src/app/adapters/cifar10_files.ts";
import type { DownloadProgress } from "../../src/app/options.ts";
import type { LoadHooks } from "../../src/app/adapters/load_dataset.ts";
import { DataUnavailable } from "../../src/app/adapters/source_folder.ts";
import { sha256 } from "../../src/util/hash.ts";
import { UserError } from "../../src/util/errors.ts";
import { tarGz, tinyCifar10, writeFiles } from "../support/tiny_cifar10.ts";

const FOLDER = "cifar-10-batches-bin", RECORDS = 2;
const files = tinyCifar10(RECORDS);
const archive = await tarGz(FOLDER, files);

/** A folder that goes away after the test, and hooks that look nowhere but in it. */
async function inFolder(
  run: (
    root: string,
    hooks: (more?: Partial<Cifar10Source>) => LoadHooks & { set: Record<string, string> },
  ) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const set: Record<string, string> = { XDG_CACHE_HOME: `${root}/cache` };
  const closed = { address: "http://127.0.0.1:1/closed", sha256: "", recordsPerFile: RECORDS };
  try {
    await run(root, (more) => ({ set, env: (name) => set[name], cifar10: { ...closed, ...more } }));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** A server on this machine for the length of `run`. */
async function serving(
  handler: (request: Request) => Response | Promise<Response>,
  run: (address: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  try {
    await run(`http://127.0.0.1:${server.addr.port}/cifar-10-binary.tar.gz`);
  } finally {
    await server.shutdown();
  }
}

async function names(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) found.push(name);
  return found.sort();
}

Deno.test("CIFAR10_SOURCE is the official archive", () => {
  assertEquals(CIFAR10_SOURCE.address, "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");
  assertEquals(CIFAR10_SOURCE.sha256, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd");
  assert(CIFAR10_SOURCE.connectTimeoutMs <= 10_000, "an offline machine must know within 10 s");
});

Deno.test("loadCifar10() looks in data.dir, CIFAR10_DIR and the cache, in this order", async () => {
  await inFolder(async (root, hooks) => {
    const { set, ...options } = hooks();
    await writeFiles(`${root}/cache/esper/${FOLDER}`, files);
    set.CIFAR10_DIR = `${root}/env`;
    const fromCache = await loadCifar10(undefined, options);
    assertEquals(fromCache.dataset.train.count, 5 * RECORDS);
    assertEquals(
      fromCache.remark,
      `CIFAR10_DIR (${root}/env) does not exist; CIFAR-10 was read from ${root}/cache/esper/${FOLDER}`,
    );
    const [marked, named] = [tinyCifar10(RECORDS), tinyCifar10(RECORDS)];
    marked[0].bytes[0] = 7;
    await writeFiles(`${root}/env`, marked);
    const fromVariable = await loadCifar10(undefined, options);
    assertEquals([fromVariable.dataset.train.labels[0], fromVariable.remark], [7, null]);
    named[0].bytes[0] = 8;
    await writeFiles(`${root}/dir/${FOLDER}`, named);
    assertEquals((await loadCifar10(`${root}/dir`, options)).dataset.train.labels[0], 8);
  });
});

Deno.test("loadCifar10() names a missing or broken file of a folder it found, and fetches nothing", async () => {
  await inFolder(async (root, hooks) => {
    await writeFiles(`${root}/data`, files);
    await Deno.truncate(`${root}/data/data_batch_2.bin`, 100);
    await assertRejects(
      () => loadCifar10(`${root}/data`, hooks()),
      UserError,
      `${root}/data/data_batch_2.bin: want 6146 bytes (2 records of 3073), got 100 (0 records and 100 bytes)`,
    );
    await Deno.remove(`${root}/data/data_batch_2.bin`);
    await assertRejects(
      () => loadCifar10(`${root}/data`, hooks()),
      UserError,
      `${root}/data/data_batch_2.bin: want a readable file, got no such file; the folder must hold the whole data set`,
    );
    assertEquals(await names(root), ["data"]);
  });
});

Deno.test("loadCifar10() downloads into the cache with progress, once", async () => {
  let requests = 0;
  await serving(() => (requests++, new Response(archive)), (address) =>
    inFolder(async (root, hooks) => {
      const seen: DownloadProgress[] = [];
      const options = {
        ...hooks({ address, sha256: await sha256(archive) }),
        onProgress: (progress: DownloadProgress) => void seen.push(progress),
      };
      const { dataset, remark } = await loadCifar10(undefined, options);
      assertEquals([dataset.train.count, dataset.test.count, remark], [5 * RECORDS, RECORDS, null]);
      assertEquals(seen.at(-1), { address, done: archive.length, total: archive.length });
      assertEquals(await names(`${root}/cache/esper`), [FOLDER]);
      assertEquals(await names(`${root}/cache/esper/${FOLDER}`), files.map(({ name }) => name));
      assertEquals((await loadCifar10(undefined, options)).dataset.sha256, dataset.sha256);
      assertEquals(requests, 1);
    }));
});

Deno.test("loadCifar10() removes what a killed download left a day ago, and only that", async () => {
  await serving(() => new Response(archive), (address) =>
    inFolder(async (root, hooks) => {
      const cache = `${root}/cache/esper`, now = Date.now();
      for (const [name, hours] of [[".cifar10-old", 25], [".cifar10-new", 1], ["other", 25]] as const) {
        await Deno.mkdir(`${cache}/${name}`, { recursive: true });
        await Deno.utime(`${cache}/${name}`, new Date(now), new Date(now - hours * 3600_000));
      }
      await loadCifar10(undefined, hooks({ address, sha256: await sha256(archive) }));
      assertEquals(await names(cache), [".cifar10-new", FOLDER, "other"]);
    }));
});

Deno.test("loadCifar10() caches in ~/.cache, and leaves in place what a faster run put there meanwhile", async () => {
  await inFolder(async (root, hooks) => {
    const cache = `${root}/.cache/esper`;
    const answer = async () => {
      await writeFiles(`${cache}/${FOLDER}`, [{ name: "from_the_other_run", bytes: new Uint8Array(1) }]);
      return new Response(archive);
    };
    await serving(answer, async (address) => {
      const { set, ...options } = hooks({ address, sha256: await sha256(archive) });
      delete set.XDG_CACHE_HOME;
      set.HOME = root;
      assertEquals((await loadCifar10(undefined, options)).dataset.train.count, 5 * RECORDS);
      assertEquals(await names(cache), [FOLDER]);
      assertEquals(await names(`${cache}/${FOLDER}`), ["from_the_other_run"]);
    });
  });
});

/** One line that holds `cause` and the cures, and an empty cache. */
async function assertUnavailable(
  hooks: LoadHooks,
  root: string,
  cause: string,
  dir?: string,
): Promise<void> {
  const error = await assertRejects(() => loadCifar10(dir, hooks), DataUnavailable, cause);
  assertEquals(error.message.split("\n").length, 1);
  for (
    const cure of [
      "--set data.dir=FOLDER",
      "CIFAR10_DIR=FOLDER",
      "a network that reaches 127.0.0.1",
      "data.whenUnavailable=digits",
    ]
  ) {
    assertStringIncludes(error.message, cure);
  }
  assertEquals(await names(`${root}/cache/esper`), []);
}

Deno.test("loadCifar10() says that an archive is truncated, whether by length or by content", async () => {
  const half = archive.slice(0, archive.length >> 1);
  await serving(() => new Response(half), (address) =>
    inFolder(async (root, hooks) => {
      const hash = await sha256(archive);
      await assertUnavailable(
        hooks({ address, sha256: hash }),
        root,
        `want SHA-256 ${hash} of ${address}, got `,
      );
      // Right hash, yet no whole archive within: the publisher's mistake.
      await assertUnavailable(
        hooks({ address, sha256: await sha256(half) }),
        root,
        "cifar10: want its files, got none: ",
      );
    }));
});

Deno.test("loadCifar10() says how far a connection got that broke off", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answering = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n0123456789"),
    );
    connection.close();
  })();
  const address = `http://127.0.0.1:${listener.addr.port}/x`;
  await inFolder((root, hooks) =>
    assertUnavailable(hooks({ address }), root, `download: want 1000 bytes of ${address}, got 10 bytes`)
  );
  await answering;
  listener.close();
});

Deno.test("loadCifar10() says that the checksum is wrong", async () => {
  await serving(
    () => new Response("<html>log in to this network</html>"),
    (address) =>
      inFolder((root, hooks) =>
        assertUnavailable(
          hooks({ address, sha256: "00ff" }),
          root,
          `download: want SHA-256 00ff of ${address}, got `,
        )
      ),
  );
});

Deno.test("loadCifar10() says that the address has no file", async () => {
  await serving(
    () => new Response("gone", { status: 404 }),
    (address) =>
      inFolder((root, hooks) =>
        assertUnavailable(
          hooks({ address }),
          root,
          `download: want ${address}, got HTTP 404 Not Found; check the address`,
        )
      ),
  );
});

Deno.test("loadCifar10() says that there is no connection, and which places had nothing", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr;
  listener.close();
  await inFolder(async (root, hooks) => {
    const { set, ...options } = hooks({ address: `http://127.0.0.1:${port}/x` });
    set.CIFAR10_DIR = root;
    await assertUnavailable(
      options,
      root,
      `cifar10: want its files, got none: data.dir (${root}/none) does not exist; CIFAR10_DIR (${root}) has no ` +
        `data_batch_1.bin; download: want http://127.0.0.1:${port}/x, got no connection (`,
      `${root}/none`,
    );
  });
});

Deno.test("loadCifar10() gives up on a server that does not answer, or stops sending", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `http://127.0.0.1:${listener.addr.port}/x`,
    limits = { connectTimeoutMs: 40, stallTimeoutMs: 40 };
  await inFolder(async (root, hooks) => {
    const silent = listener.accept();
    await assertUnavailable(
      hooks({ address, ...limits }),
      root,
      `download: want ${address}, got no answer within 0.04 s`,
    );
    (await silent).close();
    const stalled = listener.accept().then(async (connection) => {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"));
      return connection;
    });
    await assertUnavailable(
      hooks({ address, ...limits, connectTimeoutMs: 5000 }),
      root,
      `download: want 9 bytes of ${address}, got 3 bytes (nothing for 0.04 s); run again`,
    );
    (await stalled).close();
  });
  listener.close();
});

Deno.test("loadCifar10() stops at the caller's signal and leaves nothing", async () => {
  await serving(() => new Response(archive), (address) =>
    inFolder(async (root, hooks) => {
      const controller = new AbortController();
      const options = {
        ...hooks({ address, sha256: await sha256(archive) }),
        signal: controller.signal,
        onProgress: () => controller.abort(new Error("stopped by the user")),
      };
      await assertRejects(() => loadCifar10(undefined, options), Error, "stopped by the user");
      assertEquals(await names(`${root}/cache/esper`), []);
    }));
});

Deno.test("loadCifar10() says that the cache folder cannot be made, or is not known", async () => {
  await inFolder(async (root, hooks) => {
    const { set, ...options } = hooks();
    await Deno.writeTextFile(`${root}/cache`, "a file in the way");
    await assertRejects(
      () => loadCifar10(undefined, options),
      DataUnavailable,
      `cache: want to write to ${root}/cache/esper, got `,
    );
    delete set.XDG_CACHE_HOME;
    await assertRejects(
      () => loadCifar10(undefined, options),
      DataUnavailable,
      "cache: want a folder for the download, got neither XDG_CACHE_HOME nor HOME set",
    );
  });
});

/** What a store in PostgreSQL and S3 does when its servers fail: nothing that was acknowledged is lost. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { UrzaConfig } from "../../src/contracts/config.ts";
import { type OpenOptions, openStore } from "../../src/urza/adapters/open_store.ts";
import { verifyStore } from "../../src/urza/inspect.ts";
import { mentionsIn } from "../../src/urza/paths.ts";
import type { RecordState, Store } from "../../src/urza/store.ts";
import { DamageError, UnavailableError, UserError } from "../../src/util/errors.ts";
import { cutProxy } from "../support/cut_proxy.ts";
import { storeServers } from "../support/store_servers.ts";

type PostgresConfig = Extract<UrzaConfig, { kind: "postgres" }>;

const servers = storeServers();
/** Where the object store is reached: itself, or a proxy before it. */
let endpoint: string | null = null;
const reached = () => endpoint ?? servers.s3.url;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const RECORD = "a".repeat(64);
/** Pools and servers have timers and sockets of their own. */
const test = (name: string, body: () => Promise<void>) =>
  Deno.test(
    `openStore() ${name}`,
    { ignore: servers.ignore, sanitizeOps: false, sanitizeResources: false },
    body,
  );

const through = ({ url, ...rest }: PostgresConfig, port: number): PostgresConfig => {
  const moved = new URL(url);
  moved.port = `${port}`;
  return { ...rest, url: moved.href };
};

async function withStore<T>(
  config: UrzaConfig,
  work: (store: Store) => Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  const { store, close } = await openStore(config, "", { ...options, endpoint: reached() });
  try {
    return await work(store);
  } finally {
    await close();
  }
}

/** What a program has been told is done. */
interface Told {
  manifests: Record<string, string>;
  record: RecordState | null;
}

/** A checkpoint replaced by another, a record that goes its way, and a collection. */
async function program(store: Store, name: string, told: Told): Promise<void> {
  for (const content of ["one", "two"]) {
    const hash = await store.put(bytesOf(name + content));
    await store.writeManifest("checkpoint", name, { hash });
    told.manifests[name] = hash;
  }
  await store.records.register("kernel", RECORD, null);
  told.record = "UNVALIDATED";
  await store.records.claim("kernel", RECORD, "w", 60_000);
  told.record = "COMPILING";
  await store.records.settle("kernel", RECORD, "w", "VALIDATED", null);
  told.record = "VALIDATED";
  await store.collect();
}

const STATES: readonly (RecordState | null)[] = [null, "UNVALIDATED", "COMPILING", "VALIDATED"];

/** Everything is whole, and what was told is there, or what was under way when it ended. */
async function inspect(config: PostgresConfig, told: Told, place: string): Promise<void> {
  const { store, medium, close } = await openStore(config, "", { endpoint: reached() });
  try {
    const references = (_: string, value: unknown) => mentionsIn(JSON.stringify(value));
    const { faults } = await verifyStore(medium, null, { references, repair: false });
    assertEquals(faults, [], place);
    for (const [name, hash] of Object.entries(told.manifests)) {
      const { hash: there } = await store.readManifest("checkpoint", name) as { hash: string };
      const content = new TextDecoder().decode(await store.get(there));
      assert(there === hash || content === `${name}two`, `${place}: ${name} holds ${content}`);
    }
    const [record] = await store.records.list("kernel");
    const at = STATES.indexOf(told.record);
    assert(
      STATES.slice(at, at + 2).includes(record?.state ?? null),
      `${place}: ${record?.state}, ${told.record}`,
    );
  } finally {
    await close();
  }
}

/** Breaks the way to a server at every piece of every request: once, so that all must succeed, or for good. */
async function breakEverywhere(
  fresh: () => Promise<PostgresConfig>,
  port: () => number,
  reach: (config: PostgresConfig, port: number) => PostgresConfig,
  { stride, ways }: { stride: number; ways: 1 | 4 },
): Promise<void> {
  let total = Infinity, tries = 0;
  for (let at = 1; at <= total; at = 1 + stride * Math.floor(tries / ways)) {
    const kind = tries++ % 4, delivered = kind % 2 === 0, forGood = kind >= 2;
    const config = await fresh(), told: Told = { manifests: {}, record: null };
    const place = `piece ${at}, ${delivered ? "answer" : "request"} lost, ${forGood ? "for good" : "once"}`;
    endpoint = null;
    await withStore(config, () => Promise.resolve());
    await using proxy = cutProxy(port());
    if (total === Infinity) {
      await withStore(
        reach(config, proxy.port),
        (store) => program(store, "x", { manifests: {}, record: null }),
      );
      total = proxy.seen;
      continue;
    }
    proxy.cut = { at, delivered, forGood };
    const run = withStore(reach(config, proxy.port), (store) => program(store, "x", told), {
      patienceMs: forGood ? 100 : 5000,
      deadlineMs: 600,
    });
    if (forGood) await run.catch((error) => assert(error instanceof UnavailableError, `${place}: ${error}`));
    else await run;
    if (!forGood) assertEquals(told.record, "VALIDATED", place);
    endpoint = null;
    await inspect(config, told, place);
  }
  assert(tries > 10, `${tries} tries`);
}

test("loses nothing it has acknowledged, whichever request to PostgreSQL breaks off", () =>
  breakEverywhere(() => servers.empty("file"), () => servers.postgres.port, through, { stride: 5, ways: 1 }));

test("loses nothing it has acknowledged, whichever request to S3 breaks off", async () => {
  try {
    await breakEverywhere(() => servers.empty("s3"), () => servers.s3.port, (config, port) => {
      endpoint = `http://127.0.0.1:${port}`;
      return config;
    }, { stride: 1, ways: 4 });
  } finally {
    endpoint = null;
  }
});

test("waits for a PostgreSQL that is killed in mid-write and started again", async () => {
  const config = await servers.empty("file");
  await withStore(config, async (store) => {
    const hashes: Promise<string>[] = [];
    for (let k = 0; k < 20; k++) hashes.push(store.put(bytesOf(`blob ${k}`)));
    await servers.postgres.kill();
    await servers.postgres.restart();
    for (const hash of await Promise.all(hashes)) await store.get(hash);
  });
});

test("gives up a server that is silent, in time and in words, and is there when it is back", async () => {
  const config = await servers.empty("file");
  await using proxy = cutProxy(servers.postgres.port);
  await withStore(through(config, proxy.port), async (store) => {
    const hash = await store.put(bytesOf("before"));
    proxy.silent = true;
    const error = await assertRejects(() => store.put(bytesOf("meanwhile")), UnavailableError);
    assertStringIncludes(error.message, "; see that the server runs and is reached");
    proxy.silent = false;
    assertEquals(await store.get(hash), bytesOf("before"));
    await store.put(bytesOf("after"));
  }, { patienceMs: 1500, deadlineMs: 400 });
});

test("says what is wrong with a password, and never the password", async () => {
  const config = await servers.empty("file");
  const url = new URL(config.url);
  url.password = "not-to-be-seen";
  const error = await assertRejects(
    () => openStore({ ...config, url: url.href }, "", { endpoint: reached() }),
    UserError,
  );
  assertStringIncludes(error.message, "got a refused user or password (28P01); set PGPASSWORD");
  assert(!Deno.inspect(error).includes("not-to-be-seen"));
});

test("says that a disk is full, and goes on once it is not", async () => {
  const config = await servers.empty("s3");
  await using proxy = cutProxy(servers.s3.port);
  endpoint = `http://127.0.0.1:${proxy.port}`;
  try {
    await withStore(config, async (store) => {
      const answer = "HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
      proxy.instead = { start: "PUT", answer };
      const error = await assertRejects(() => store.put(bytesOf("abc")), UnavailableError);
      assertStringIncludes(error.message, "got a full disk (HTTP 507); free some space there");
      proxy.instead = null;
      const hash = await store.put(bytesOf("abc"));
      assertEquals(await store.get(hash), bytesOf("abc"));
    }, { patienceMs: 300 });
  } finally {
    endpoint = null;
  }
});

test("gives one of many claimants the lease, and holds it whatever their clocks say", async () => {
  const config = await servers.empty("file"), { now } = Date;
  await withStore(config, async (first) => {
    await first.records.register("kernel", RECORD, null);
    Date.now = () => now() + 3_600_000;
    try {
      await withStore(config, async (late) => {
        const claims = await Promise.allSettled(
          [first, late, first, late].map((store, k) =>
            store.records.claim("kernel", RECORD, `w${k}`, 60_000)
          ),
        );
        assertEquals(claims.filter(({ status }) => status === "fulfilled").length, 1);
        const error = await assertRejects(() => late.records.claim("kernel", RECORD, "late", 60_000), Error);
        assertStringIncludes(error.message, "COMPILING under the lease of w");
        assertEquals(await late.records.expireLeases("kernel"), []);
      });
    } finally {
      Date.now = now;
    }
  });
});

test("writes large blobs in parts, finds an object that was damaged, and mends it", async () => {
  const config = await servers.empty("s3");
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  await withStore(config, async (store) => {
    const hash = await store.put(large);
    assertEquals(await store.get(hash), large);
    await withStore({ ...config }, async (other) => assertEquals(await other.get(hash), large));
    const { medium, close } = await openStore(config, "", { partBytes: 20_000, endpoint: reached() });
    await medium.write(`blobs/${hash.slice(0, 2)}/${hash}`, large.map((byte) => byte ^ 1));
    await close();
    await assertRejects(() => store.get(hash), DamageError, `want content with SHA-256 ${hash}`);
    await store.put(large);
    assertEquals(await store.get(hash), large);
  }, { partBytes: 20_000 });
});

test("refuses the blobs of another store", async () => {
  const config = await servers.empty("s3"), other = await servers.empty("s3");
  await withStore(config, () => Promise.resolve());
  const error = await assertRejects(
    () => openStore({ ...other, blobs: config.blobs }, "", { endpoint: reached() }),
    UserError,
  );
  assertStringIncludes(error.message, "got those of another store; choose another prefix");
});

/** A compiler that is killed, or stopped for longer than its lease, in the middle of its work. */
import { assertEquals } from "@std/assert";
import { createTezzeret } from "../../src/tezzeret/compiler.ts";
import { findBlueprint } from "../../src/tezzeret/library.ts";
import { createWorkshop } from "../../src/tezzeret/workshop.ts";
import { createFileStore } from "../../src/urza/adapters/files.ts";
import type { AssetRecord, Store } from "../../src/urza/store.ts";
import { openShared } from "../support/devices.ts";

const BLUEPRINT = "basic", LEASE_MS = 900;

/** Starts a compiler in a process of its own; hands it over once it holds the lease of the kernels. */
async function whileCompiling(
  look: (child: Deno.ChildProcess, store: Store, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tests/tezzeret/compile_program.ts", folder, BLUEPRINT, `${LEASE_MS}`],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const store = createFileStore(folder);
  try {
    while ((await store.records.list("kernel", "COMPILING")).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await look(child, store, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Does something while nobody else has a lock of these files. */
async function whileLocked(paths: readonly string[], work: () => void): Promise<void> {
  const files = await Promise.all(paths.map((path) => Deno.open(path, { write: true })));
  for (const file of files) await file.lock(true);
  work();
  // A signal takes a moment to reach every thread.
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const file of files) file.close();
}

/** Compiles the same in this process. */
async function compileHere(store: Store): Promise<string> {
  const gpu = (await openShared("native"))!;
  const { adapter } = gpu, workshop = createWorkshop({ gpu });
  const tezzeret = createTezzeret({ adapter, workshop, store, version: "test", owner: "second" });
  const { key } = await tezzeret.admit(findBlueprint(BLUEPRINT), [4, 4, 4]);
  await tezzeret.close();
  return key;
}

const moves = ({ history }: AssetRecord) => history.map(({ to, reason }) => `${to}: ${reason}`);
const TAKEN_OVER = [
  "COMPILING: claimed by first",
  "UNVALIDATED: lease of first ran out",
  "COMPILING: claimed by second",
  "VALIDATED: settled by second",
];

Deno.test("a compiler killed at work leaves a lease that runs out; the next one compiles once and loses nothing", async () => {
  await whileCompiling(async (child, store) => {
    child.kill("SIGKILL");
    await child.output();
    const key = await compileHere(store);
    assertEquals(moves(await store.records.read("kernel", key)), TAKEN_OVER);
    assertEquals((await store.records.list("kernel")).length, 1);
    assertEquals((await store.collect()).blobs, 0);
  });
});

Deno.test("a compiler that wakes up after its lease ran out takes the result of its successor for its own", async () => {
  await whileCompiling(async (child, store, folder) => {
    // Not while it reads or writes there: a process that is stopped keeps the locks of the store's files.
    await whileLocked(["gate", "lock"].map((name) => `${folder}/${name}`), () => child.kill("SIGSTOP"));
    const key = await compileHere(store);
    child.kill("SIGCONT");
    const { code, stdout } = await child.output();
    assertEquals([code, new TextDecoder().decode(stdout).trim()], [0, key]);
    assertEquals(moves(await store.records.read("kernel", key)), TAKEN_OVER);
  });
});

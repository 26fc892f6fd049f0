import { assert, assertEquals, assertThrows } from "@std/assert";
import { RunFolder } from "../../src/app/adapters/run_folder.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import { UserError } from "../../src/util/errors.ts";

async function inFolder(work: (root: string) => Promise<void> | void): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const notice = (text: string): AnyEnvelope => ({
  id: 1,
  time: 9,
  topic: "notice",
  payload: { level: "info", text },
});

const metrics = (loss: number): AnyEnvelope => ({
  id: 2,
  time: 9,
  topic: "step.metrics",
  payload: { step: 3, loss, accuracy: 0.5, learningRate: 0.1, imagesPerSecond: 10, flops: 7 },
});

const linesOf = (path: string) => Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");

Deno.test("RunFolder.create() takes the first number that is free", () =>
  inFolder((root) => {
    const out = `${root}/new/runs`;
    const folders = [1, 2].map(() => RunFolder.create(out, "tiny"));
    assertEquals(folders.map(({ name }) => name), ["tiny-1", "tiny-2"]);
    Deno.mkdirSync(`${out}/tiny-3`);
    folders.push(RunFolder.create(out, "tiny"), RunFolder.create(out, "other"));
    assertEquals(folders.map(({ path }) => path).slice(2), [`${out}/tiny-4`, `${out}/other-1`]);
    folders.forEach((folder) => folder.close());
  }));

Deno.test("RunFolder sorts events into two logs, a line each, and keeps broken numbers apart from null", () =>
  inFolder((root) => {
    const folder = RunFolder.create(root, "tiny");
    for (const event of [notice("a"), metrics(NaN), notice("b\nc"), metrics(0.5)]) folder.record(event);
    folder.close();
    assertEquals(linesOf(`${folder.path}/events.jsonl`).map((line) => JSON.parse(line)), [
      { topic: "notice", level: "info", text: "a", time: 9 },
      { topic: "notice", level: "info", text: "b\nc", time: 9 },
    ]);
    const losses = linesOf(`${folder.path}/metrics.jsonl`).map((line) => JSON.parse(line).loss);
    assertEquals(losses, ["NaN", 0.5]);
  }));

Deno.test("RunFolder cuts its logs back to a checkpoint and appends behind it", () =>
  inFolder((root) => {
    const folder = RunFolder.create(root, "tiny");
    folder.record(notice("kept"));
    const lengths = folder.syncLogs();
    assertEquals(Object.keys(lengths).sort(), ["events.jsonl", "metrics.jsonl"]);
    folder.record(notice("lost"));
    folder.record(metrics(1));
    folder.close();

    const again = RunFolder.open(`${folder.path}/`);
    assertEquals(again.name, "tiny-1");
    again.truncateLogs(lengths);
    again.record(notice("new"));
    again.close();
    assertEquals(linesOf(`${folder.path}/events.jsonl`).map((line) => JSON.parse(line).text), [
      "kept",
      "new",
    ]);
    assertEquals(linesOf(`${folder.path}/metrics.jsonl`), []);
  }));

Deno.test("RunFolder.edges() reads the edges back", () =>
  inFolder((root) => {
    const folder = RunFolder.create(root, "tiny");
    const payload = {
      ...{ tick: 1, step: 4, slot: "a", seed: "a/1", blueprint: "se" },
      ...{
        from: "DORMANT" as const,
        to: "GERMINATED" as const,
        reason: "action" as const,
        evidence: { live: 0 },
      },
    };
    assertEquals(folder.edges(), []);
    folder.record(notice("between"));
    folder.record({ id: 3, time: 9, topic: "seed.edge", payload });
    const [edge, ...others] = folder.edges();
    assertEquals([edge.seed, edge.evidence, others], ["a/1", { live: 0 }, []]);
    folder.close();
  }));

Deno.test("RunFolder writeJson() replaces a file in one step", () =>
  inFolder((root) => {
    const folder = RunFolder.create(root, "tiny");
    folder.writeJson("run.json", { a: 1 });
    folder.writeJson("run.json", { b: [2] });
    assertEquals(Deno.readTextFileSync(`${folder.path}/run.json`), '{\n  "b": [\n    2\n  ]\n}\n');
    assertEquals([...Deno.readDirSync(folder.path)].filter(({ name }) => name.endsWith(".tmp")), []);
    folder.close();
  }));

/** What a person meets who asks for the impossible; the line has cause and cure. */
function assertCured(work: () => unknown, line: string): void {
  const error = assertThrows(work, UserError);
  assertEquals(error.message, line);
  assertEquals(error.exitCode, 1);
}

Deno.test("RunFolder.create() says that a file stands where a folder should be", () =>
  inFolder((root) => {
    Deno.writeTextFileSync(`${root}/file`, "");
    assertCured(
      () => RunFolder.create(`${root}/file/runs`, "tiny"),
      `urza: want to write ${root}/file/runs, got a file where a folder should be (ENOTDIR); choose another folder`,
    );
    assertCured(
      () => RunFolder.create(`${root}/file`, "tiny"),
      `urza: want to write ${root}/file, got a file where a folder should be (EEXIST); choose another folder`,
    );
  }));

Deno.test("RunFolder.create() says that it may not write there", () =>
  // Even root makes no folders in /proc.
  assertCured(
    () => RunFolder.create("/proc/self/runs", "tiny"),
    "urza: want to write /proc/self/runs, got no such folder (ENOENT); choose another folder",
  ));

Deno.test("RunFolder says that the disk is full, and the log goes on once there is space", () =>
  inFolder((root) => {
    Deno.mkdirSync(`${root}/full`);
    Deno.symlinkSync("/dev/full", `${root}/full/events.jsonl`);
    const folder = RunFolder.open(`${root}/full`);
    assertCured(
      () => folder.record(notice("too much")),
      `urza: want to write ${root}/full/events.jsonl, got a full disk (ENOSPC); ` +
        "free some space or choose another folder",
    );
    folder.record(metrics(1));
    assertEquals(linesOf(`${root}/full/metrics.jsonl`).length, 1);
    folder.close();
  }));

Deno.test("RunFolder.open() says that the run is gone", () =>
  inFolder((root) => {
    const error = assertThrows(() => RunFolder.open(`${root}/none`), UserError);
    assert(error.message.startsWith(`urza: want to write ${root}/none/metrics.jsonl, got `), error.message);
  }));

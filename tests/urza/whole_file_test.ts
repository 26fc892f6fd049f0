/** Files that are written whole, and the folder of a run, after the power has failed. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { RunFolder } from "../../src/app/adapters/run_folder.ts";
import { makeFolder, writeWhole } from "../../src/urza/adapters/whole_file.ts";
import { cutPower, watchDisk } from "../support/power_cut.ts";
import { testRandom } from "../support/values.ts";

const records = Deno.makeTempDirSync();
watchDisk(records);
addEventListener("unload", () => Deno.removeSync(records, { recursive: true }));

/** Does `work` in `root`, of which a power cut leaves what it may; `look` sees that. Many times, with other losses each. */
async function withPowerCuts(work: (root: string) => void, look: (root: string) => void): Promise<void> {
  const random = testRandom("power cuts");
  for (let cut = 0; cut < 40; cut++) {
    const root = await Deno.makeTempDir();
    work(root);
    cutPower(root, records, (choices) => Math.floor(choices * random()));
    look(root);
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("writeWhole() and makeFolder() have done what they did for good once they return", async () => {
  await withPowerCuts((root) => {
    assert(makeFolder(`${root}/a/b`));
    assert(!makeFolder(`${root}/a/b`));
    writeWhole(`${root}/a/b/file`, "old and long");
    writeWhole(`${root}/a/b/file`, Uint8Array.of(110, 101, 119));
  }, (root) => {
    assertEquals([...Deno.readDirSync(`${root}/a/b`)].map(({ name }) => name), ["file"]);
    assertEquals(Deno.readTextFileSync(`${root}/a/b/file`), "new");
  });
});

Deno.test("a file that is not synced may be cut short by a power cut: these tests would notice", async () => {
  const found = new Set<string>();
  await withPowerCuts(
    (root) => Deno.writeTextFileSync(`${root}/file`, "abc"),
    (root) => {
      const [entry] = Deno.readDirSync(root);
      found.add(entry ? Deno.readTextFileSync(`${root}/file`) : "none");
    },
  );
  for (const kind of ["abc", "none", "\0\0\0", ""]) assert(found.has(kind), kind);
});

Deno.test("RunFolder has a folder, a configuration and logs as long as a checkpoint says after a power cut", async () => {
  let length = 0;
  await withPowerCuts((root) => {
    const folder = RunFolder.create(`${root}/runs`, "tiny");
    folder.writeJson("config.json", { seed: 7 });
    const say = (text: string) =>
      folder.record({ id: 1, time: 9, topic: "notice", payload: { level: "info", text } });
    say("kept");
    length = folder.syncLogs()["events.jsonl"];
    say("lost, perhaps");
    folder.close();
  }, (root) => {
    const folder = RunFolder.open(`${root}/runs/tiny-1`);
    assertEquals(folder.readJson("config.json"), { seed: 7 });
    folder.truncateLogs({ "events.jsonl": length });
    folder.close();
    const [line, rest] = Deno.readTextFileSync(`${root}/runs/tiny-1/events.jsonl`).split("\n");
    assertEquals([JSON.parse(line).text, rest], ["kept", ""]);
  });
});

Deno.test("makeFolder() takes no file for a folder", async () => {
  const root = await Deno.makeTempDir();
  Deno.writeTextFileSync(`${root}/file`, "");
  assertThrows(() => makeFolder(`${root}/file`), Deno.errors.AlreadyExists);
  await Deno.remove(root, { recursive: true });
});

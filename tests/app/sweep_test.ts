/** A small sweep on points: variations, what is written, and that neither lanes nor an interruption change a byte. */
import { assertEquals, assertRejects } from "@std/assert";
import { readSweep, runSweep, type Sweep, type SweepOptions, variationsOf } from "../../src/app/sweep.ts";
import { readConfig } from "../../src/cli/config_file.ts";
import { UserError } from "../../src/util/errors.ts";

const sweep: Sweep = {
  config: readConfig("spirals") as Sweep["config"],
  set: [
    ...["controller.kind=off", "train.maxSteps=12", "loop.tickSteps=6", "train.batch=16", "data.count=400"],
    ...["data.split.control=50", "data.split.validation=50", "data.split.test=50"],
  ],
  profile: "small",
  vary: [{ key: "train.learningRate.peak", values: ["0.001", "0.02"] }],
  cases: [["host.hidden=4"], ["host.hidden=8,4"]],
  seeds: { first: 3, count: 1 },
};

function run(out: string, options: Partial<SweepOptions> = {}) {
  return runSweep({
    ...{ sweep, out, backend: "native", resume: null, lanes: 1, fleet: null },
    ...{ signal: new AbortController().signal, onLine() {} },
    ...options,
  });
}

Deno.test("variationsOf() joins every case with every combination of the grids", () => {
  const vary = [{ key: "a", values: ["1", "2"] }, { key: "b", values: ["x"] }];
  assertEquals(variationsOf({ vary, cases: [] }), [["a=1", "b=x"], ["a=2", "b=x"]]);
  assertEquals(variationsOf({ vary: vary.slice(1), cases: [["c=1", "d=2"], []] }), [["c=1", "d=2", "b=x"], [
    "b=x",
  ]]);
  assertEquals(variationsOf({ vary: [], cases: [] }), [[]]);
});

Deno.test("a sweep that was interrupted ends with the bytes of one that was not, however many lanes", async () => {
  const out = await Deno.makeTempDir();
  try {
    const stop = new AbortController();
    const cut = await run(out, { signal: stop.signal, onLine: () => stop.abort() });
    assertEquals([cut.outcome, cut.rows.length], ["interrupted", 1]);
    assertEquals(await readSweep(cut.directory), sweep);
    const resumed = await run(out, { resume: cut.directory, lanes: 2 }), whole = await run(out);
    for (const file of ["sweep.json", "sweep.csv"]) {
      const read = (directory: string) => Deno.readTextFileSync(`${directory}/${file}`);
      assertEquals(read(resumed.directory), read(whole.directory));
    }
    const [head, first, ...more] = Deno.readTextFileSync(`${whole.directory}/sweep.csv`).trim().split("\n");
    assertEquals(
      head,
      "run,host.hidden,train.learningRate.peak,seed,validation_loss,validation_accuracy,test_loss,test_accuracy," +
        "params,flops,steps,weights",
    );
    assertEquals(first.split(",").slice(0, 4), ["spirals-v1-s3", "4", "0.001", "3"]);
    assertEquals(more.length, 3);
    assertEquals(
      whole.summary.map(({ loss }) => loss),
      whole.summary.map(({ loss }) => loss).sort((a, b) => a - b),
    );
    await assertRejects(
      () => run(out, { sweep: { ...sweep, set: [...sweep.set, "train.bach=1"] } }),
      UserError,
      "train.bach",
    );
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

/** A whole proof of a minute: two seeds on digits, on a software adapter. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { resolveConfig } from "../../../src/app/config.ts";
import { prove, type ProveOptions, type ProveResult } from "../../../src/app/prove/prove.ts";
import { parseProof } from "../../../src/app/prove/proof_config.ts";
import { readConfig } from "../../../src/cli/config_file.ts";
import type { ArmTimes, Proof } from "../../../src/contracts/proof.ts";
import { proofLines } from "../../../src/report/proof_lines.ts";
import { proofMarkdown } from "../../../src/report/proof_markdown.ts";
import { proofPage } from "../../../src/report/proof_page.ts";
import { UserError } from "../../../src/util/errors.ts";

const SETS = [
  ...["data.kind=digits", "data.pixels=14", "data.trainLimit=1000", "data.augment.flip=false"],
  ...["data.split.control=128", "data.split.validation=256", "host.channels=2,5", "host.norm=batch"],
  ...["train.budgetGflop=0.45", "train.learningRate.peak=0.2", "loop.tickSteps=15", "loop.controlBatches=2"],
  ...["loop.validationTicks=2", "loop.checkpointTicks=3", "growth.slots=*", "growth.blueprints=conv3"],
  ...["growth.incubation=none", "growth.paramsBudget=9", "growth.flopsBudget=4", "growth.alpha.ticks=2"],
  ...["growth.gates.minTicksLeft=3", "growth.gates.trainingTicks=1", "growth.gates.holdingTicks=1"],
  ...["growth.gates.confidence=0", "growth.gates.removalMeasurements=1", "controller.germinateFrom=0.02"],
  ...["controller.everyTicks=2", "controller.confidence=0"],
];
const planted = [{ slot: "block2", blueprint: "conv3" }];
const proof = parseProof({
  name: "tiny",
  task: { config: "fashion_mnist", set: SETS },
  seeds: { count: 2 },
  headroom: { first: 106, count: 2, planted },
  arms: ["static-flops", "off-switch"],
  overhead: { pairs: 2, seconds: 0.01 },
});
const task = resolveConfig({ file: readConfig("fashion_mnist"), sets: SETS, flags: {} }, "small");

async function run(out: string, options: Partial<ProveOptions> = {}): Promise<ProveResult> {
  return await prove({
    ...{ proof, task, backend: "native", out, resume: null, lanes: 1, headroomOnly: false },
    ...{ command: "prove tiny", signal: new AbortController().signal, onLine() {} },
    ...options,
  });
}

const read = (result: ProveResult, file: string) => Deno.readTextFileSync(`${result.directory}/${file}`);

/** Changes one thing in a file of a proof, has it judged anew, and undoes the change. */
async function tampered(
  result: ProveResult,
  file: string,
  from: RegExp | string,
  to: string,
): Promise<Proof> {
  const path = `${result.directory}/${file}`, text = Deno.readTextFileSync(path);
  const changed = text.replace(from, to);
  assert(changed !== text, `${file} has ${from}`);
  Deno.writeTextFileSync(path, changed);
  try {
    return (await run("", { resume: result.directory })).proof!;
  } finally {
    Deno.writeTextFileSync(path, text);
  }
}

Deno.test("a proof that was interrupted ends with the bytes of one that was not, however many lanes; who tampers is not believed", async () => {
  const out = await Deno.makeTempDir();
  try {
    const stop = new AbortController();
    let told = 0;
    const cut = await run(out, { signal: stop.signal, onLine: () => void (++told === 7 && stop.abort()) });
    assertEquals([cut.outcome, cut.proof], ["interrupted", null]);
    const before = [...Deno.readDirSync(`${cut.directory}/arms`)].length;
    assert(before >= 4 && before < 11, `${before} arms of 11`);
    const lines: string[] = [];
    const resumed = await run("", {
      resume: cut.directory,
      lanes: 2,
      onLine: (line) => void lines.push(line),
    });
    // What had run is not run again.
    assertEquals(lines.filter((line) => !line.startsWith("headroom")).length, 11 - before);
    const whole = await run(out);
    // What the clock told of slots is the one thing that is never twice the same.
    const timeless = (result: ProveResult) => {
      const { overhead, verdicts, ...rest } = JSON.parse(read(result, "proof.json")) as Proof;
      assertEquals([overhead!.slots, overhead!.pairs], [2, 2]);
      assert(overhead!.low <= overhead!.ratio && overhead!.ratio <= overhead!.high && overhead!.low > 0.1);
      return { ...rest, verdicts: verdicts.slice(1) };
    };
    assertEquals(JSON.stringify(timeless(resumed)), JSON.stringify(timeless(whole)));
    assertStringIncludes(whole.proof!.verdicts[0].why, "with 2 dormant slots");

    const { faults, verdicts, comparisons, table } = whole.proof!;
    assertEquals(faults, []);
    assertEquals(table.map(({ arm, seeds }) => `${arm} ${seeds}`), [
      ...["host-flops 2", "static-flops 2", "heuristic 2", "off-switch 1"],
    ]);
    assertEquals(comparisons.map(({ id }) => id), ["H2", "H3.end", "H3.cheaper", "H3.anytime"]);
    assertStringIncludes(verdicts[0].why, "weights of off-switch are those of the host");
    const spent = whole.proof!.arms.map(({ outcome }) =>
      outcome.status === "completed" ? outcome.flops / 4.5e8 : 0
    );
    assert(spent.every((share) => share >= 1 && share < 1.5), `spent ${spent}`);

    const [arm] = whole.proof!.arms.filter(({ arm, seed }) => arm === "heuristic" && seed === 2);
    const zero = "0".repeat(64), { sha256 } = JSON.parse(read(whole, "runs/heuristic-s2-1/run.json")).dataset;
    for (
      const [file, from, to, fault] of [
        ["arms/heuristic-s2.json", arm.config, zero, "heuristic-s2: configuration of its result: want "],
        ["arms/heuristic-s2.json", `"seed":2`, `"seed":1`, "heuristic-s2: arm and seed: want "],
        [
          "runs/heuristic-s2-1/config.json",
          /"peak": 0.2/,
          `"peak": 0.3`,
          "heuristic-s2: configuration of its run: want ",
        ],
        ["runs/heuristic-s2-1/run.json", sha256, zero, "heuristic-s2: data of its run: want "],
      ] as const
    ) {
      const judged = await tampered(whole, file, from, to);
      assertStringIncludes(judged.faults[0], fault);
      assertEquals([...new Set(judged.verdicts.map(({ verdict }) => verdict))], ["INCONCLUSIVE"]);
    }
    await assertRejects(
      () => tampered(whole, "manifest.json", /"code":"[0-9a-f]{64}"/, `"code":"${zero}"`),
      UserError,
      "the program was changed; begin a new proof",
    );
    await assertRejects(
      () =>
        run("", {
          resume: whole.directory,
          task: { ...task, host: { ...task.host, channels: [3, 5] } as never },
        }),
      UserError,
      "the task was changed",
    );

    const page = proofPage(whole.proof!, JSON.parse(read(whole, "times.json")) as ArmTimes[]);
    for (
      const piece of [
        "static-flops",
        "prove tiny",
        "TRAINING from step",
        whole.proof!.manifest.sha256,
        "<svg",
      ]
    ) {
      assertStringIncludes(page, piece);
    }
    assert(!/(src|href)="(?!#|data:)/.test(page), "the page loads nothing");
    const markdown = proofMarkdown(whole.proof!, JSON.parse(read(whole, "times.json")) as ArmTimes[]);
    assertEquals(markdown.filter((line) => line.startsWith("| heuristic | 2 | ")).length, 2);
    assertStringIncludes(proofLines(whole.proof!).join("\n"), "H2 ");
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("prove() refuses a task on which a larger network is not worth its price", async () => {
  const out = await Deno.makeTempDir();
  try {
    const short = resolveConfig({ file: task, sets: ["train.budgetGflop=0.03"], flags: {} }, "small");
    const same = {
      ...proof,
      headroom: { ...proof.headroom, planted: [{ slot: "block1", blueprint: "affine" }] },
    };
    await assertRejects(
      () => run(out, { task: short, proof: same }),
      UserError,
      "want a task on which a larger network from scratch beats the host at equal FLOPs",
    );
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

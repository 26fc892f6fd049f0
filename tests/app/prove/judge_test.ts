import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseProof } from "../../../src/app/prove/proof_config.ts";
import { judge, judgeHeadroom, tableOf } from "../../../src/app/prove/judge.ts";
import type { ArmResult, CompletedArm, Overhead, Proof } from "../../../src/contracts/proof.ts";
import { prng } from "../../../src/util/prng.ts";

const proof = parseProof({ task: { config: "spirals" }, arms: ["static-flops", "random", "learned"] });
const HASH = "0".repeat(64), BUDGET = 1e9;

/** A run whose test and validation loss are `loss`, which it had come down to evenly over the logarithm of FLOPs. */
function completed(loss: number, changes: Partial<CompletedArm> = {}): CompletedArm {
  const score = { loss, accuracy: Math.exp(-loss) };
  return {
    ...{ status: "completed", steps: 100, flops: BUDGET, weights: HASH },
    ...{ host: { params: 10, flops: 20 }, grown: { params: 30, flops: 40 }, validation: score, test: score },
    curve: [0.1, 0.4, 1].map((share, tick) => {
      const now = loss - Math.log(share) / 5;
      return {
        tick,
        step: 100 * share,
        flops: share * BUDGET,
        params: 30,
        loss: now,
        accuracy: Math.exp(-now),
      };
    }),
    trace: [1, 2, 3].map((tick) => ({ tick, train: loss + tick, control: loss - tick })),
    ...{ edges: [], decisions: [] },
    ...changes,
  };
}

const result = (arm: ArmResult["arm"], seed: number, outcome: ArmResult["outcome"]): ArmResult => ({
  ...{ version: 1, arm, seed, config: HASH, data: HASH, manifest: HASH, outcome },
});

/** Runs of ten seeds: losses around 1, lower by `effect` where grown, noise of 0.01 besides that of the seed. */
function runs(effect: number, chance: string, seeds = 10): ArmResult[] {
  const random = prng(5, chance);
  return Array.from({ length: seeds }, (_, k) => {
    const base = 1 + 0.1 * random.normal(),
      noisy = (loss: number) => completed(base + loss + 0.01 * random.normal());
    return [
      result("host-flops", k, noisy(0)),
      result("static-flops", k, noisy(0)),
      result("random", k, noisy(0)),
      result("heuristic", k, noisy(-effect)),
      result("learned", k, noisy(-2 * effect)),
    ];
  }).flat();
}

const overhead = { slots: 3, pairs: 30, steps: 10, ratio: 1.001, low: 0.999, high: 1.004 };
const judged = (results: ArmResult[], faults: string[] = [], measured: Overhead | null = overhead) =>
  judge({ proof, results, classes: 3, budget: BUDGET, overhead: measured, faults });
const wordOf = (results: ArmResult[], id: string) =>
  judged(results).verdicts.find((one) => one.id === id)!.verdict;

Deno.test("judge() supports what was planted: growth that pays, beats having, and is controlled", () => {
  for (const chance of ["a", "b"]) {
    const results = runs(0.05, chance);
    for (const id of ["H2", "H3", "H3.anytime", "H4"]) assertEquals(wordOf(results, id), "SUPPORTED", id);
  }
});

Deno.test("judge() finds against growth that does harm", () => {
  const results = runs(-0.05, "harm");
  for (const id of ["H2", "H3.anytime", "H4"]) assertEquals(wordOf(results, id), "NOT SUPPORTED", id);
  assert(wordOf(results, "H3") !== "SUPPORTED");
});

Deno.test("lesson 37, winners without a test: judge() seldom supports what is not there, of ten seeds or of two", () => {
  for (const seeds of [2, 10]) {
    const words = Array.from({ length: 15 }, (_, k) => judged(runs(0, `none ${k}`, seeds)).verdicts).flat()
      .filter(({ id }) => id !== "H1" && id !== "H3");
    const wrong = words.filter(({ verdict }) => verdict === "SUPPORTED").length;
    assert(wrong <= 2, `${wrong} of ${words.length}`);
  }
});

Deno.test("judge() takes one that ends a little behind for no worse than having, and no more than that", () => {
  const shifted = (by: number) =>
    Array.from({ length: 10 }, (_, k) => [
      result("static-flops", k, completed(1)),
      result("heuristic", k, completed(1 + by + 1e-4 * (k % 3))),
      result("host-flops", k, completed(1)),
    ]).flat();
  assertEquals(wordOf(shifted(0.005), "H3"), "SUPPORTED");
  assertEquals(wordOf(shifted(0.02), "H3"), "NOT SUPPORTED");
});

Deno.test("judge() counts a crash as the worst of all runs, and as no better than a guess", () => {
  const results = runs(0.05, "a");
  const [{ differences: before }] = judged(results).comparisons;
  const crashed = results.map((run) =>
    run.arm === "heuristic" && run.seed === 4
      ? { ...run, outcome: { status: "crashed" as const, error: "NaN" } }
      : run
  );
  const [{ differences }] = judged(crashed).comparisons;
  const host = results.find(({ arm, seed }) => arm === "host-flops" && seed === 4)!.outcome as CompletedArm;
  const worst = Math.max(
    Math.log(3),
    ...crashed.map(({ outcome }) => outcome.status === "completed" ? outcome.test.loss : 0),
  );
  assertEquals(differences[4], host.test.loss - worst);
  assertEquals(differences.toSpliced(4, 1), before.toSpliced(4, 1));
  const row = tableOf({ proof, results: crashed, classes: 3, budget: BUDGET, overhead, faults: [] })
    .find(({ arm }) => arm === "heuristic")!;
  assertEquals([row.seeds, row.crashed], [10, 1]);
});

Deno.test("judge() believes nothing where the evidence has a fault", () => {
  const { verdicts, comparisons } = judged(runs(0.05, "a"), ["heuristic-s3: data of its run: want x, got y"]);
  assertEquals([...new Set(verdicts.map(({ verdict }) => verdict))], ["INCONCLUSIVE"]);
  assertEquals(comparisons, []);
  assertStringIncludes(verdicts[0].why, "heuristic-s3: data of its run");
});

Deno.test("judge() compares variants on validation, beside the claims and without touching them", () => {
  const plain = runs(0.05, "a");
  const varied = parseProof({ ...proof, variants: { better: {}, worse: { of: "random" } } });
  const results = plain.concat(
    plain.filter(({ arm }) => arm === "heuristic").flatMap(({ seed, outcome }) => {
      const { validation: { loss } } = outcome as CompletedArm;
      // What the test split says of them is the opposite.
      return ([["variant-better", -0.02], ["variant-worse", 0.02]] as const).map(([arm, by]) =>
        result(arm, seed, { ...completed(loss + by - 1e-4 * seed), test: { loss: loss - by, accuracy: 0.5 } })
      );
    }),
  );
  const judgement = judge({ proof: varied, results, classes: 3, budget: BUDGET, overhead, faults: [] });
  const before = judged(plain);
  assertEquals(judgement.verdicts, before.verdicts);
  assertEquals(judgement.comparisons.slice(0, 6), before.comparisons);
  assertEquals(
    judgement.comparisons.slice(6).map(({ id, adjusted, verdict }) => [id, adjusted, verdict]),
    [
      ["variant-better / heuristic", null, "SUPPORTED"],
      ["variant-better / host-flops", null, "SUPPORTED"],
      ["variant-worse / heuristic", null, "NOT SUPPORTED"],
      ["variant-worse / host-flops", null, "SUPPORTED"],
    ],
  );
  const rows = tableOf({ proof: varied, results, classes: 3, budget: BUDGET, overhead, faults: [] });
  assertEquals(rows.slice(-2).map(({ arm }) => arm), ["variant-better", "variant-worse"]);
});

Deno.test("judge() leaves a claim open whose arm did not run", () => {
  const results = runs(0.05, "a").filter(({ arm }) => arm !== "learned");
  const verdict = judged(results).verdicts.find(({ id }) => id === "H4")!;
  assertEquals(verdict.verdict, "INCONCLUSIVE");
  assertStringIncludes(verdict.why, "H4.learned: an arm did not run");
});

Deno.test("judge() on H1 wants every bit, up to the removal of a seed, and a measured overhead below 5 %", () => {
  const host = result("host-flops", 1, completed(1));
  const off = (weights: string) => result("off-switch", 1, completed(1, { weights }));
  const edge = { tick: 3, step: 60, slot: "a", blueprint: "b", from: "TRAINING", to: "PRUNED" } as const;
  const beside = (other: number) => {
    const { trace } = completed(1);
    return result(
      "incubating",
      1,
      completed(1, {
        edges: [edge],
        trace: trace.map((one, k) => k === other ? { ...one, control: one.control! + Number.EPSILON } : one),
      }),
    );
  };
  assertEquals(wordOf([host, off(HASH), beside(2)], "H1"), "SUPPORTED");
  assertEquals(wordOf([host, off(HASH), beside(1)], "H1"), "NOT SUPPORTED");
  assertEquals(wordOf([host, off("1".repeat(64)), beside(2)], "H1"), "NOT SUPPORTED");
  assertEquals(wordOf([host, off(HASH)], "H1"), "INCONCLUSIVE");
  const whole = [host, off(HASH), beside(2)];
  const timed = (low: number, high: number) =>
    judged(whole, [], { ...overhead, low, high }).verdicts[0].verdict;
  assertEquals([timed(1.01, 1.04), timed(1.03, 1.06), timed(1.06, 1.09)], [
    "SUPPORTED",
    "INCONCLUSIVE",
    "NOT SUPPORTED",
  ]);
  assertEquals(judged(whole, [], null).verdicts[0].verdict, "INCONCLUSIVE");
});

Deno.test("judge() knows what was saved: the share of FLOPs left when the loss was first as low as the other's end", () => {
  const results = [1, 2, 3].flatMap((seed) => {
    const early = completed(1);
    const faster = completed(0.9, {
      curve: early.curve.map((point) => ({ ...point, loss: point.flops < 3e8 ? 2 : 0.95 })),
    });
    return [
      result("static-flops", seed, early),
      result("heuristic", seed, seed === 3 ? completed(1.1) : faster),
    ];
  });
  const saved = judged(results).comparisons.find(({ id }) => id === "H3.cheaper")!;
  assertEquals(saved.differences, [0.6, 0.6, -1]);
});

Deno.test("judgeHeadroom() wants the larger network ahead for sure", () => {
  const of = (gains: number[]) =>
    judgeHeadroom(
      gains.flatMap((gain, k) => [
        result("headroom-host", k, completed(1)),
        result("headroom-static", k, completed(1 - gain)),
      ]),
      3,
    ).verdict;
  assertEquals(
    [of([0.1, 0.2, 0.15]), of([0.1, -0.2, 0.15]), of([-0.1, -0.2, -0.3])],
    [
      "SUPPORTED",
      "INCONCLUSIVE",
      "NOT SUPPORTED",
    ] satisfies Proof["verdicts"][number]["verdict"][],
  );
});

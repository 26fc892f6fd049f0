/** From the results of all arms to verdicts. Pure: the same results give the same verdicts. */
import type {
  ArmName,
  ArmResult,
  ArmRow,
  Comparison,
  HeadroomArm,
  Overhead,
  ProofConfig,
  VariantArm,
  Verdict,
  VerdictWord,
} from "../../contracts/proof.ts";
import { ARMS } from "../../contracts/proof.ts";
import { interquartileMean, probabilityOfImprovement } from "../../util/scores.ts";
import { bcaMean, holm, meanOf, pairedAbove } from "../../util/statistics.ts";
import { armOf, variantsOf } from "./arms.ts";
import { type Claim, claimsOf, ideasOf, MOST_OVERHEAD, primariesOf, type Primary } from "./claims.ts";
import { areaOf, DIFFERENCES, testOf, validationOf, type Worst, worstOf } from "./measures.ts";

/** What is judged. */
export interface Evidence {
  readonly proof: ProofConfig;
  readonly results: readonly ArmResult[];
  readonly classes: number;
  /** Of the task, in FLOPs. */
  readonly budget: number;
  /** Null where it was not measured. */
  readonly overhead: Overhead | null;
  /** What is wrong with the evidence itself: nothing is believed then. */
  readonly faults: readonly string[];
}

const ABOUT: Readonly<Record<Primary["measure"], (better: string, worse: string) => string>> = {
  loss: (better, worse) => `test loss, ${worse} − ${better}, nats`,
  area: (better, worse) => `mean accuracy over log FLOPs, ${better} − ${worse}`,
  validation: (better, worse) => `validation loss, ${worse} − ${better}, nats`,
  saving: (better, worse) => `share of FLOPs saved by ${better} to the end loss of ${worse}`,
};

function bySeed(results: readonly ArmResult[], arm: ArmName | HeadroomArm | VariantArm): ArmResult[] {
  return results.filter((result) => result.arm === arm).sort((a, b) => a.seed - b.seed);
}

type Unjudged = Omit<Comparison, "adjusted" | "verdict">;

/** A comparison but for what the others decide; null where an arm did not run. */
function compare(primary: Primary, { proof, results, budget }: Evidence, worst: Worst): Unjudged | null {
  const { id, measure, margin } = primary;
  const better = bySeed(results, primary.better), worse = bySeed(results, primary.worse);
  if (better.length === 0 || worse.length === 0) return null;
  const differences = better.map((run, k) => DIFFERENCES[measure](run, worse[k], worst, proof, budget));
  const { value, low, high } = bcaMean(differences);
  const scores = (runs: readonly ArmResult[]) => [
    runs.map((run) =>
      measure === "area"
        ? areaOf(run, worst, proof, budget)
        : measure === "validation"
        ? -validationOf(run, worst)
        : -testOf(run, worst).loss
    ),
  ];
  return {
    ...{
      id,
      about: ABOUT[measure](primary.better, primary.worse),
      differences,
      mean: value,
      low,
      high,
      margin,
    },
    interquartile: interquartileMean(differences),
    improvement: probabilityOfImprovement(scores(better), scores(worse)),
    p: pairedAbove(differences, margin),
  };
}

function wordOf({ low, high, margin, p }: Unjudged, adjusted: number, level: number): VerdictWord {
  if (low > margin && adjusted < level) return "SUPPORTED";
  return high < margin && 1 - p < level ? "NOT SUPPORTED" : "INCONCLUSIVE";
}

/** The primary comparisons whose arms ran, and those of variants, which are ideas and adjusted for nothing. */
function compareAll(evidence: Evidence): Comparison[] {
  const worst = worstOf(evidence.results, evidence.classes);
  const { proof } = evidence;
  const all = (list: readonly Primary[]) =>
    list.map((primary) => compare(primary, evidence, worst)).filter((one) => one !== null);
  const found = all(primariesOf(proof)), adjusted = holm(found.map(({ p }) => p));
  return [
    ...found.map((one, k) => ({
      ...one,
      adjusted: adjusted[k],
      verdict: wordOf(one, adjusted[k], proof.level),
    })),
    ...all(ideasOf(proof, variantsOf(proof))).map((one) => ({
      ...one,
      adjusted: null,
      verdict: wordOf(one, one.p, proof.level),
    })),
  ];
}

const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toPrecision(3)}`;

/** A comparison in a line. */
export function tellComparison(
  { about, mean, low, high, differences, margin, p, adjusted }: Comparison,
): string {
  const wins = differences.filter((one) => one > margin).length;
  return `${about}: ${signed(mean)} (95 % ${signed(low)} to ${signed(high)}), above ${
    signed(margin)
  } in ${wins} of ` +
    `${differences.length} seeds, p = ${p.toPrecision(2)}${
      adjusted === null ? "" : `, adjusted ${adjusted.toPrecision(2)}`
    }`;
}

/** What a claim comes to, from the comparisons that it takes. */
function judgeClaim(
  { takes, by }: Claim,
  comparisons: readonly Comparison[],
): { verdict: VerdictWord; why: string } {
  const found = by.map((id) => comparisons.find((one) => one.id === id));
  const known = found.filter((one) => one !== undefined);
  const why = known.map(tellComparison).concat(
    known.length < by.length
      ? [`${by.filter((id) => !known.some((one) => one.id === id)).join(", ")}: an arm did not run`]
      : [],
  ).join("; ");
  const words = found.map((one) => one?.verdict ?? "INCONCLUSIVE");
  const [one, all]: VerdictWord[] = takes === "all"
    ? ["NOT SUPPORTED", "SUPPORTED"]
    : ["SUPPORTED", "NOT SUPPORTED"];
  const verdict = words.includes(one) ? one : words.every((word) => word === all) ? all : "INCONCLUSIVE";
  return { verdict, why };
}

/** The first tick at which a seed of a run was removed; none where none was. */
function firstRemoval({ outcome }: ArmResult): number {
  const edges = outcome.status === "completed" ? outcome.edges : [];
  return edges.find(({ to }) => to === "PRUNED")?.tick ?? Infinity;
}

/** What is known of the cost of dormant slots. */
function judgeTime(overhead: Overhead | null): { verdict: VerdictWord; why: string } {
  if (!overhead) return { verdict: "INCONCLUSIVE", why: "what dormant slots cost was not measured" };
  const { slots, pairs, ratio, low, high } = overhead;
  const why =
    `step time with ${slots} dormant slots ${ratio.toFixed(4)} of that without (95 % ${low.toFixed(4)} to ` +
    `${high.toFixed(4)}, ${pairs} pairs)`;
  if (high < MOST_OVERHEAD) return { verdict: "SUPPORTED", why };
  return { verdict: low > MOST_OVERHEAD ? "NOT SUPPORTED" : "INCONCLUSIVE", why };
}

/** H1: harmless to the last bit, and to the clock. */
function judgeHarm({ results, overhead }: Evidence): { verdict: VerdictWord; why: string } {
  const parts = [judgeBits(results), judgeTime(overhead)], words = parts.map(({ verdict }) => verdict);
  const verdict = words.includes("NOT SUPPORTED")
    ? "NOT SUPPORTED"
    : words.includes("INCONCLUSIVE")
    ? "INCONCLUSIVE"
    : "SUPPORTED";
  return { verdict, why: parts.map(({ why }) => why).join("; ") };
}

/** Whether training went the same way, to the last bit. */
function judgeBits(results: readonly ArmResult[]): { verdict: VerdictWord; why: string } {
  const found = (["off-switch", "incubating"] as const).flatMap((arm) =>
    bySeed(results, arm).map((run) => ({ arm, run }))
  );
  const host = (seed: number) => bySeed(results, "host-flops").find((run) => run.seed === seed);
  const told = found.map(({ arm, run }) => {
    const plain = host(run.seed)?.outcome, { outcome } = run;
    if (outcome.status === "crashed" || plain?.status !== "completed") {
      return { same: false, text: `${arm} or its host crashed` };
    }
    if (arm === "off-switch") {
      const same = outcome.weights === plain.weights;
      return {
        same,
        text: `weights of ${arm} ${same ? "are" : "are not"} those of the host (${
          outcome.weights.slice(0, 12)
        })`,
      };
    }
    const until = firstRemoval(run), before = outcome.trace.filter(({ tick }) => tick < until);
    const same = before.length > 0 && before.every(({ tick, train, control }) => {
      const other = plain.trace.find((one) => one.tick === tick);
      return other?.train === train && other?.control === control;
    });
    return {
      same,
      text: `losses of ${arm} ${same ? "are" : "are not"} those of the host at ${before.length} ticks`,
    };
  });
  const why = told.map(({ text }) => text).join("; ");
  if (told.some(({ same }) => !same)) return { verdict: "NOT SUPPORTED", why };
  const both = new Set(found.map(({ arm }) => arm)).size === 2;
  return both
    ? { verdict: "SUPPORTED", why }
    : { verdict: "INCONCLUSIVE", why: why || "neither off-switch nor incubating ran" };
}

/** A verdict a claim; INCONCLUSIVE throughout where the evidence has faults. */
export function judge(evidence: Evidence): { verdicts: Verdict[]; comparisons: Comparison[] } {
  const { proof, faults } = evidence;
  const claims = claimsOf(proof);
  const named = (claim: Claim) => ({ id: claim.id, claim: claim.claim, rule: claim.rule });
  if (faults.length > 0) {
    const why = `nothing is believed: ${faults[0]}`;
    return {
      verdicts: claims.map((claim) => ({ ...named(claim), verdict: "INCONCLUSIVE", why })),
      comparisons: [],
    };
  }
  const comparisons = compareAll(evidence);
  const verdicts = claims.map((claim) => ({
    ...named(claim),
    ...claim.by.length === 0 ? judgeHarm(evidence) : judgeClaim(claim, comparisons),
  }));
  return { verdicts, comparisons };
}

/** Whether a larger network is worth its price: validation loss at equal FLOPs, on seeds that no claim rests on. */
export function judgeHeadroom(results: readonly ArmResult[], classes: number): Comparison {
  const lossOf = ({ outcome }: ArmResult) =>
    outcome.status === "completed" && Number.isFinite(outcome.validation.loss)
      ? outcome.validation.loss
      : Math.log(classes);
  const hosts = bySeed(results, "headroom-host").map(lossOf);
  const larger = bySeed(results, "headroom-static").map(lossOf);
  const differences = hosts.map((loss, k) => loss - larger[k]);
  const { value, low, high } = bcaMean(differences);
  return {
    ...{ id: "headroom", about: "validation loss, host − larger network from scratch, nats", differences },
    ...{ mean: value, low, high, interquartile: interquartileMean(differences) },
    improvement: probabilityOfImprovement([larger.map((loss) => -loss)], [hosts.map((loss) => -loss)]),
    ...{ margin: 0, p: pairedAbove(differences), adjusted: null },
    verdict: low > 0 ? "SUPPORTED" : high < 0 ? "NOT SUPPORTED" : "INCONCLUSIVE",
  };
}

/** A row an arm that ran, in the order of the table of arms. */
export function tableOf({ proof, results, classes, budget }: Evidence): ArmRow[] {
  const worst = worstOf(results, classes);
  return [...ARMS, ...variantsOf(proof)].flatMap((arm) => {
    const runs = bySeed(results, arm);
    if (runs.length === 0) return [];
    const tests = runs.map((run) => testOf(run, worst));
    const whole = runs.flatMap(({ outcome }) => outcome.status === "completed" ? [outcome] : []);
    const mean = (values: readonly number[]) => values.length > 0 ? meanOf(values) : 0;
    return [{
      ...{ arm, about: armOf(arm, proof).about, seeds: runs.length, crashed: runs.length - whole.length },
      loss: meanOf(tests.map(({ loss }) => loss)),
      accuracy: meanOf(tests.map(({ accuracy }) => accuracy)),
      iqmLoss: interquartileMean(tests.map(({ loss }) => loss)),
      iqmAccuracy: interquartileMean(tests.map(({ accuracy }) => accuracy)),
      area: meanOf(runs.map((run) => areaOf(run, worst, proof, budget))),
      params: mean(whole.map(({ grown }) => grown.params)),
      gflop: mean(whole.map(({ flops }) => flops)) / 1e9,
      steps: mean(whole.map(({ steps }) => steps)),
    }];
  });
}

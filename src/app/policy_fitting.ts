/** How a policy is fitted to episodes: to imitate them, or to do better. */
import type { PolicyTraining } from "../contracts/policy_training.ts";
import type { PolicyLearner, Sample, UpdateReport } from "../tamiyo/rl/policy_learner.ts";
import { type Prng, prng } from "../util/prng.ts";

type Samples<O> = readonly Sample<O>[];

/** All samples in an order of chance, a batch at a time. */
function batchesOf<O>(samples: Samples<O>, size: number, random: Prng): Samples<O>[] {
  const order = samples.map((_, k) => k);
  random.shuffle(order);
  return Array.from(
    { length: Math.ceil(samples.length / size) },
    (_, k) => order.slice(k * size, (k + 1) * size).map((at) => samples[at]),
  );
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const varianceOf = (values: readonly number[]) => {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) ** 2));
};

/** 1 less the share of the returns' variance that the values leave unexplained. */
function explainedVariance(samples: Samples<unknown>): number {
  const returns = samples.map((sample) => sample.return);
  return 1 - varianceOf(samples.map(({ advantage }) => advantage)) / Math.max(1e-12, varianceOf(returns));
}

/** How samples are imitated. */
interface Passes {
  /** Of the stream of chance that orders them. */
  readonly label: string;
  readonly epochs: number;
  readonly learningRate: number;
}

/**
 * Behaviour cloning: the actions taken become likely, by the weights of their samples, and the value learns what they earned.
 */
export async function imitate<O>(
  learner: PolicyLearner<O>,
  samples: Samples<O>,
  { ppo, seed }: Pick<PolicyTraining, "ppo" | "seed">,
  { label, epochs, learningRate }: Passes,
): Promise<{ readonly samples: number; readonly crossEntropy: number }> {
  const rule = {
    ...{ learningRate, clip: ppo.clip, valueClip: null },
    ...{ surrogate: 0, imitation: 1, value: ppo.value, entropy: 0 },
  };
  let losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const batches = batchesOf(samples, ppo.batch, prng(seed, `policy.${label}.${epoch}`));
    const reports = await learner.update(batches, rule);
    losses = reports.map(({ logProbabilities }) => -meanOf([...logProbabilities]));
  }
  return { samples: samples.length, crossEntropy: losses.length > 0 ? meanOf(losses) : NaN };
}

/** Largest weight of a sample. */
const MOST = 20;

/**
 * Advantage-weighted regression (Peng et al. 2019): actions weigh exp(advantage / temperature), in deviations of the
 * advantages, whoever took them; at most 20. Null: all the same, which is behaviour cloning.
 */
export function weighed<O>(samples: Samples<O>, temperature: number | null): Samples<O> {
  if (temperature === null || samples.length === 0) return samples;
  const deviation = Math.sqrt(varianceOf(samples.map(({ advantage }) => advantage))) + 1e-8;
  return samples.map((sample) => ({
    ...sample,
    weight: Math.min(MOST, Math.exp(sample.advantage / deviation / temperature)),
  }));
}

/** Advantages of a batch with mean 0 and deviation 1. */
function normalised<O>(batch: Samples<O>): Samples<O> {
  const advantages = batch.map(({ advantage }) => advantage);
  const mean = meanOf(advantages), deviation = Math.sqrt(varianceOf(advantages)) + 1e-8;
  return batch.map((sample) => ({ ...sample, advantage: (sample.advantage - mean) / deviation }));
}

/**
 * PPO's passes over one iteration's decisions; they end early where the policy has moved far.
 *
 * @param left Share of the training that is left: what the learning rate falls with, and the clipping where it is to.
 */
export async function fitPolicy<O>(
  learner: PolicyLearner<O>,
  samples: Samples<O>,
  { ppo, seed }: Pick<PolicyTraining, "ppo" | "seed">,
  iteration: number,
  left: number,
): Promise<Record<string, number>> {
  const { value, valueClip, entropy, targetKl } = ppo;
  const clip = ppo.annealClip ? ppo.clip * left : ppo.clip;
  const rule = {
    ...{ learningRate: ppo.learningRate * left, clip, valueClip },
    ...{ surrogate: 1, imitation: 0, value, entropy },
  };
  const epochsOf = Array.from(
    { length: ppo.epochs },
    (_, epoch) =>
      batchesOf(samples, ppo.batch, prng(seed, `policy.epoch.${iteration}.${epoch}`))
        .filter(({ length }) => length > 1),
  );
  const reports: (UpdateReport & { readonly batch: Samples<O> })[] = [];
  let epochs = 0;
  // Where no divergence ends them, all passes are one piece of work for the device.
  for (const group of targetKl === null ? [epochsOf] : epochsOf.map((batches) => [batches])) {
    const batches = group.flat(), from = reports.length;
    const seen = await learner.update(batches.map(normalised), rule);
    reports.push(...seen.map((report, k) => ({ ...report, batch: batches[k] })));
    epochs += group.length;
    if (targetKl !== null && divergenceOf(reports.slice(from)).kl > 1.5 * targetKl) break;
  }
  const last = reports.slice(-Math.ceil(samples.length / ppo.batch));
  const { kl, clipped } = divergenceOf(last, clip);
  return {
    learningRate: rule.learningRate,
    epochs,
    kl,
    clipped,
    explainedVariance: explainedVariance(samples),
    valueLoss: meanOf(
      last.flatMap(({ values, batch }) => batch.map((one, k) => (values[k] - one.return) ** 2 / 2)),
    ),
  };
}

/** Mean of r − 1 − log r (Schulman's k3), and the share of ratios r that are clipped. */
function divergenceOf(
  reports: readonly (UpdateReport & { readonly batch: Samples<unknown> })[],
  clip = Infinity,
) {
  const logs = reports.flatMap(({ logProbabilities, batch }) =>
    batch.map(({ logProbability }, k) => logProbabilities[k] - logProbability)
  );
  return {
    kl: meanOf(logs.map((log) => Math.expm1(log) - log)),
    clipped: meanOf(logs.map((log) => Number(Math.abs(Math.exp(log) - 1) > clip))),
  };
}

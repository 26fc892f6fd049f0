import { compile, type Program } from "../../engine/compile/program.ts";
import { type Feeds } from "../../engine/compile/reference.ts";
import type { Gpu } from "../../engine/gpu/device.ts";
import { readFloats } from "../../engine/gpu/readback.ts";
import { type BoundDispatch, encodePass } from "../../engine/gpu/recorder.ts";
import { gradients } from "../../engine/graph/gradients.ts";
import { stepInput, type Tensor, withSharedNodes } from "../../engine/graph/tensor.ts";
import { initialise } from "../../engine/nn/init.ts";
import { TraceScope } from "../../engine/nn/scope.ts";
import { add, div, exp, log, maximum, mul, neg, square, sub } from "../../engine/ops/elementwise.ts";
import { softmax } from "../../engine/ops/loss.ts";
import { sum } from "../../engine/ops/reduce.ts";
import { reshape } from "../../engine/ops/shape.ts";
import { momentsOf, Optimizer } from "../../engine/optim/optimizer.ts";
import { ParameterStore, type StoreNumbers } from "../../engine/optim/parameter_store.ts";
import type { BatchShape, PolicyNetwork } from "./types.ts";

/** A decision to learn from. */
export interface Sample<O> {
  readonly observation: O;
  readonly action: number;
  /** Of the action when it was taken, the floor included. */
  readonly logProbability: number;
  readonly advantage: number;
  /** What was expected then. */
  readonly value: number;
  /** What the value should have been. */
  readonly return: number;
  /** Share of its imitation beside that of others. Default 1. */
  readonly weight?: number;
}

/** What one update makes of its samples: shares of each loss in what is minimised. */
export interface UpdateRule {
  readonly learningRate: number;
  /** How far the ratio of an action's probabilities may leave 1 before the surrogate is flat. */
  readonly clip: number;
  /** How far a value may leave what was expected before its error counts no further; null for any way. */
  readonly valueClip: number | null;
  /** Clipped surrogate (Schulman et al. 2017); 0 leaves it out. */
  readonly surrogate: number;
  /** Cross entropy of the actions taken; 0 leaves it out. */
  readonly imitation: number;
  /** Half the squared error of the value. */
  readonly value: number;
  /** Entropy of what would be done, taken off; 0 leaves it out. */
  readonly entropy: number;
}

/** What an update saw, before it. */
export interface UpdateReport {
  readonly logProbabilities: Float32Array;
  readonly values: Float32Array;
}

export interface LearnerOptions {
  /** Share of the probability that is spread evenly over the legal actions. */
  readonly floor: number;
  readonly gradientClip: number;
  readonly batch: number;
  readonly seed: number;
}

const ADAM = { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-5 } as const;
const GROUP = "policy";
/** Added to the logits of what is not legal: its probability is 0 in float32. */
const NEVER = 1e4;
/** Stands for a limit that nothing comes to. */
const ANY_WAY = 1e30;
const COLUMNS = [
  ...["old", "expected", "advantages", "returns"] as const,
  ...["surrogate", "imitation", "value", "entropy"] as const,
];

/** A policy's weights on a device, and the programs that improve them: one for each size that batches had. */
export class PolicyLearner<O> {
  readonly network: PolicyNetwork<O>;
  readonly #gpu: Gpu;
  readonly #options: LearnerOptions;
  readonly #store: ParameterStore;
  readonly #optimizer: Optimizer;
  #updates = 0;
  /** Largest sizes so far; batches are padded to them. */
  #shape: BatchShape | null = null;
  #ready:
    | { readonly key: string; readonly program: Program; readonly update: readonly BoundDispatch[] }
    | null = null;

  /** With fresh weights, or those given. */
  constructor(
    gpu: Gpu,
    network: PolicyNetwork<O>,
    options: LearnerOptions,
    weights?: Readonly<Record<string, Float32Array<ArrayBuffer>>>,
  ) {
    this.network = network;
    this.#gpu = gpu;
    this.#options = options;
    const scope = new TraceScope();
    network.forward(scope, network.shapeFor([]));
    const { parameters } = scope;
    this.#store = new ParameterStore(gpu, ParameterStore.sizeOf(parameters), momentsOf(ADAM));
    this.#store.add(
      parameters.map((spec) => ({
        spec,
        values: weights?.[spec.name] ?? initialise(spec.name, spec.shape, spec.init, options.seed),
      })),
      GROUP,
    );
    this.#optimizer = new Optimizer(gpu, this.#store, ADAM, { clip: true, norms: true });
  }

  /** All weights, by name. */
  async weights(): Promise<Record<string, Float32Array<ArrayBuffer>>> {
    const { values: view, layout } = this.#store;
    const values = await readFloats(this.#gpu, view, view.size / 4);
    return Object.fromEntries(layout.places.map((place) => {
      const [from, to] = ParameterStore.rangeOf(place);
      return [place.name, values.slice(from, to)];
    }));
  }

  /**
   * One update after another, each by all samples of a batch with the same weight. Reports come when all are done: nothing is
   * read back in between, which takes longer than an update does.
   */
  async update(batches: readonly (readonly Sample<O>[])[], rule: UpdateRule): Promise<UpdateReport[]> {
    const { batch: most, gradientClip: clip } = this.#options;
    for (const { length } of batches) {
      if (length === 0 || length > most) {
        throw new RangeError(`learner: want 1 to ${most} samples in an update, got ${length}`);
      }
    }
    if (batches.length === 0) return [];
    const seen = batches.map((batch) => batch.map(({ observation }) => observation));
    for (const observations of seen) this.#grow(this.network.shapeFor(observations));
    const shape = this.#shape!, { program, update } = await this.#program(shape);
    const { logProbabilities, values } = program.outputs, bytes = 4 * shape.batch;
    const reports = this.#gpu.allocator.storage("policy/reports", 2 * bytes * batches.length);
    try {
      for (const [k, samples] of batches.entries()) {
        this.#updates++;
        const row = { learningRate: rule.learningRate, weightDecay: 0, clip, updates: this.#updates };
        program.step.write({
          ...this.network.encode(seen[k], shape) as Record<string, Float32Array>,
          ...feedsOf(samples, rule, shape),
          ...this.#optimizer.stepValues({ [GROUP]: row }),
        });
        const encoder = this.#gpu.device.createCommandEncoder();
        encodePass(encoder, [program.dispatches, update]);
        for (const [half, { buffer, offset }] of [logProbabilities, values].entries()) {
          const to = reports.offset + (2 * k + half) * bytes;
          encoder.copyBufferToBuffer(buffer, offset, reports.buffer, to, bytes);
        }
        this.#gpu.device.queue.submit([encoder.finish()]);
      }
      const numbers = await readFloats(this.#gpu, reports, 2 * shape.batch * batches.length);
      const part = (half: number, { length }: readonly unknown[]) =>
        numbers.slice(half * shape.batch, half * shape.batch + length);
      return batches.map((batch, k) => ({
        logProbabilities: part(2 * k, batch),
        values: part(2 * k + 1, batch),
      }));
    } finally {
      this.#gpu.allocator.free(reports);
    }
  }

  save(): { readonly updates: number; readonly shape: BatchShape | null } {
    return { updates: this.#updates, shape: this.#shape };
  }

  /** Weights and moments. */
  async numbers(): Promise<StoreNumbers> {
    return await this.#store.read();
  }

  /** Goes on from what `save` and `numbers` gave. */
  restore({ updates, shape }: ReturnType<PolicyLearner<O>["save"]>, numbers: StoreNumbers): void {
    this.#updates = updates;
    this.#shape = shape;
    this.#store.restore(this.#store.layout, numbers);
  }

  destroy(): void {
    this.#ready?.program.destroy();
    this.#optimizer.destroy();
    this.#store.destroy();
  }

  /** Sizes only grow, so that few programs are compiled. */
  #grow(needed: BatchShape): void {
    const before = this.#shape ?? { ...needed, batch: this.#options.batch };
    const keys = Object.keys(needed);
    const fits = keys.every((key) => needed[key] <= before[key]);
    this.#shape = fits ? before : Object.fromEntries(
      keys.map((
        key,
      ) => [key, needed[key] <= before[key] ? before[key] : 2 ** Math.ceil(Math.log2(needed[key]))]),
    ) as BatchShape;
  }

  async #program(shape: BatchShape) {
    const key = JSON.stringify(shape);
    if (this.#ready?.key === key) return this.#ready;
    this.#ready?.program.destroy();
    const { writes, outputs } = withSharedNodes(() => {
      const scope = new TraceScope();
      const { loss, ...outputs } = lossOf(this.network.forward(scope, shape), shape, this.#options);
      const tensors = gradients(loss, scope.parameters.map(({ tensor }) => tensor));
      const writes = scope.parameters.map(({ name }, k) => ({
        tensor: tensors[k],
        into: this.#store.gradientView(name),
      }));
      return { writes, outputs };
    });
    const program = await compile(this.#gpu, {
      label: "policy",
      writes,
      outputs,
      stepInputs: [this.#optimizer.stepInput],
      memory: (source) => this.#store.view(source.name),
    });
    this.#ready = { key, program, update: await this.#optimizer.bind(program.step) };
    return this.#ready;
  }
}

/** Values of the samples' step inputs; rows of padding weigh nothing. */
function feedsOf<O>(samples: readonly Sample<O>[], rule: UpdateRule, { batch, actions }: BatchShape): Feeds {
  const column = (of: (sample: Sample<O>) => number) => {
    const values = new Float32Array(batch);
    samples.forEach((sample, k) => values[k] = of(sample));
    return values;
  };
  const taken = new Float32Array(batch * actions), share = 1 / samples.length;
  for (let k = 0; k < batch; k++) taken[k * actions + (samples[k]?.action ?? 0)] = 1;
  return {
    taken,
    clip: [rule.clip],
    valueClip: [rule.valueClip ?? ANY_WAY],
    ...{
      old: column(({ logProbability }) => logProbability),
      expected: column(({ value }) => value),
      advantages: column(({ advantage }) => advantage),
      returns: column((sample) => sample.return),
      surrogate: column(() => rule.surrogate * share),
      imitation: column(({ weight = 1 }) => rule.imitation * share * weight),
      value: column(() => rule.value * share),
      entropy: column(() => rule.entropy * share),
    } satisfies Record<typeof COLUMNS[number], Float32Array>,
  };
}

const minimum = (a: Tensor, b: Tensor) => neg(maximum(neg(a), neg(b)));
/** `x`, at most `far` from `centre`. */
const near = (x: Tensor, centre: Tensor | number, far: Tensor) =>
  minimum(maximum(x, sub(centre, far)), add(centre, far));
const halfSquare = (x: Tensor) => mul(square(x), 0.5);

/**
 * What is minimised: Σ weights · (clipped surrogate, cross entropy, half the squared error of the value, negative entropy).
 */
function lossOf(
  { logits, mask, values }: ReturnType<PolicyNetwork<unknown>["forward"]>,
  { batch, actions }: BatchShape,
  { floor }: LearnerOptions,
) {
  const input = (name: typeof COLUMNS[number]) => stepInput(name, [batch]);
  const taken = stepInput("taken", [batch, actions]);
  const clip = stepInput("clip", [1]), valueClip = stepInput("valueClip", [1]);
  const likely = softmax(add(mul(logits, mask), mul(sub(mask, 1), NEVER)));
  const even = div(mask, sum(mask, [1], true));
  const chances = add(mul(likely, 1 - floor), mul(even, floor));
  const total = (x: Tensor) => reshape(sum(x, [1]), [batch]);
  const logProbabilities = log(maximum(total(mul(chances, taken)), 1e-20));
  const negativeEntropy = total(mul(chances, log(maximum(chances, 1e-20))));
  const ratio = exp(sub(logProbabilities, input("old"))), advantages = input("advantages");
  const surrogate = maximum(neg(mul(ratio, advantages)), neg(mul(near(ratio, 1, clip), advantages)));
  const errorOf = (x: Tensor) => halfSquare(sub(x, input("returns")));
  const error = maximum(errorOf(values), errorOf(near(values, input("expected"), valueClip)));
  const parts = [
    mul(surrogate, input("surrogate")),
    neg(mul(logProbabilities, input("imitation"))),
    mul(error, input("value")),
    mul(negativeEntropy, input("entropy")),
  ];
  return { loss: sum(parts.reduce((total, part) => add(total, part))), logProbabilities, values };
}

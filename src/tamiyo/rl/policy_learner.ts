import { compile, type Program } from "../../engine/compile/program.ts";
import { type Feeds } from "../../engine/compile/reference.ts";
import type { Gpu } from "../../engine/gpu/device.ts";
import { readFloats } from "../../engine/gpu/readback.ts";
import { type BoundDispatch, replay } from "../../engine/gpu/recorder.ts";
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
  /** What the value should have been. */
  readonly return: number;
}

/** What one update makes of its samples: shares of each loss in what is minimised. */
export interface UpdateRule {
  readonly learningRate: number;
  /** Clipped surrogate (Schulman et al. 2017); 0 leaves it out. */
  readonly surrogate: number;
  /** Cross entropy of the actions taken; 0 leaves it out. */
  readonly imitation: number;
  /** Half the squared error of the value. */
  readonly value: number;
}

/** What an update saw, before it. */
export interface UpdateReport {
  readonly logProbabilities: Float32Array;
  readonly values: Float32Array;
}

export interface LearnerOptions {
  /** Share of the probability that is spread evenly over the legal actions. */
  readonly floor: number;
  readonly clip: number;
  readonly gradientClip: number;
  readonly batch: number;
  readonly seed: number;
}

const ADAM = { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-5 } as const;
const GROUP = "policy";
/** Added to the logits of what is not legal: its probability is 0 in float32. */
const NEVER = 1e4;
const SAMPLE = ["taken", "old", "advantages", "returns", "surrogate", "imitation", "value"] as const;

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
    const [values] = await this.#store.read();
    return Object.fromEntries(this.#store.layout.places.map((place) => {
      const [from, to] = ParameterStore.rangeOf(place);
      return [place.name, values.slice(from, to)];
    }));
  }

  /** One update by all samples, at most a batch of them, each with the same weight. */
  async update(samples: readonly Sample<O>[], rule: UpdateRule): Promise<UpdateReport> {
    const { batch, gradientClip: clip } = this.#options;
    if (samples.length === 0 || samples.length > batch) {
      throw new RangeError(`learner: want 1 to ${batch} samples in an update, got ${samples.length}`);
    }
    const observations = samples.map(({ observation }) => observation);
    const shape = this.#grow(this.network.shapeFor(observations));
    const { program, update } = await this.#program(shape);
    this.#updates++;
    const row = { learningRate: rule.learningRate, weightDecay: 0, clip, updates: this.#updates };
    program.step.write({
      ...this.network.encode(observations, shape) as Record<string, Float32Array>,
      ...feedsOf(samples, rule, shape),
      ...this.#optimizer.stepValues({ [GROUP]: row }),
    });
    replay(this.#gpu, program.dispatches, update);
    const read = async (name: string) =>
      (await readFloats(this.#gpu, program.outputs[name], shape.batch)).slice(0, samples.length);
    return { logProbabilities: await read("logProbabilities"), values: await read("values") };
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
  #grow(needed: BatchShape): BatchShape {
    const before = this.#shape ?? { ...needed, batch: this.#options.batch };
    const keys = Object.keys(needed);
    const fits = keys.every((key) => needed[key] <= before[key]);
    this.#shape = fits ? before : Object.fromEntries(
      keys.map((
        key,
      ) => [key, needed[key] <= before[key] ? before[key] : 2 ** Math.ceil(Math.log2(needed[key]))]),
    ) as BatchShape;
    return this.#shape;
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
    old: column(({ logProbability }) => logProbability),
    advantages: column(({ advantage }) => advantage),
    returns: column((sample) => sample.return),
    surrogate: column(() => rule.surrogate * share),
    imitation: column(() => rule.imitation * share),
    value: column(() => rule.value * share),
  } satisfies Record<typeof SAMPLE[number], Float32Array>;
}

const minimum = (a: Tensor | number, b: Tensor | number) =>
  neg(maximum(typeof a === "number" ? -a : neg(a), typeof b === "number" ? -b : neg(b)));

/** What is minimised: Σ weights · (clipped surrogate, cross entropy, half the squared error of the value). */
function lossOf(
  { logits, mask, values }: ReturnType<PolicyNetwork<unknown>["forward"]>,
  { batch, actions }: BatchShape,
  { floor, clip }: LearnerOptions,
) {
  const input = (name: typeof SAMPLE[number]) => stepInput(name, [batch]);
  const taken = stepInput("taken", [batch, actions]);
  const likely = softmax(add(mul(logits, mask), mul(sub(mask, 1), NEVER)));
  const even = div(mask, sum(mask, [1], true));
  const chances = add(mul(likely, 1 - floor), mul(even, floor));
  const logProbabilities = log(maximum(reshape(sum(mul(chances, taken), [1]), [batch]), 1e-20));
  const ratio = exp(sub(logProbabilities, input("old")));
  const clipped = minimum(maximum(ratio, 1 - clip), 1 + clip), advantages = input("advantages");
  const surrogate = maximum(neg(mul(ratio, advantages)), neg(mul(clipped, advantages)));
  const error = mul(square(sub(values, input("returns"))), 0.5);
  const parts = [
    mul(surrogate, input("surrogate")),
    neg(mul(logProbabilities, input("imitation"))),
    mul(error, input("value")),
  ];
  return { loss: sum(parts.reduce((total, part) => add(total, part))), logProbabilities, values };
}

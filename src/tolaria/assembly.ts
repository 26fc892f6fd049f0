import type { RunConfig } from "../contracts/config.ts";
import { MetricsRing } from "../engine/compile/metrics_ring.ts";
import { compile, type Program, type Write } from "../engine/compile/program.ts";
import { type ChooseVariant, firstFit } from "../engine/compile/schedule.ts";
import type { StepValues } from "../engine/compile/step_buffer.ts";
import type { QueuedStep } from "../engine/compile/step_queue.ts";
import type { ExampleStore } from "../engine/data/example_store.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import type { BoundDispatch } from "../engine/gpu/recorder.ts";
import { gradients } from "../engine/graph/gradients.ts";
import { type Source, stepInput, type Tensor, withSharedNodes } from "../engine/graph/tensor.ts";
import { initialise } from "../engine/nn/init.ts";
import { type ParameterSpec, type Statistics, TraceScope } from "../engine/nn/scope.ts";
import { full, mul } from "../engine/ops/elementwise.ts";
import { correct, meanCrossEntropy, softmaxCrossEntropy } from "../engine/ops/loss.ts";
import { sum } from "../engine/ops/reduce.ts";
import { concat, range, reshape } from "../engine/ops/shape.ts";
import { NORM_COLUMNS, type Optimizer } from "../engine/optim/optimizer.ts";
import type { Lookahead } from "../engine/optim/lookahead.ts";
import type { ParameterStore } from "../engine/optim/parameter_store.ts";
import {
  type GrowableModel,
  incubates,
  type PlantedSeed,
  seedsWith,
  type Topology,
  topologyKey,
} from "./growable.ts";
import { overViews, type ViewCount } from "../engine/data/views.ts";
import { type HealthStep, traceHealth } from "./health.ts";

/** A program with what follows it in the same pass. */
export interface Step {
  readonly program: Program;
  readonly dispatches: readonly BoundDispatch[];
}

/** The programs of one topology. */
export interface Assembly {
  readonly topology: Topology;
  /** A training step of the network as it stands. */
  readonly train: Step;
  /** The same with the shadow pass of each incubating seed; null where none incubates in the shadow. */
  readonly shadow: Step | null;
  /** Loss and hits of one batch without the seeds that incubate. */
  readonly evaluate: Step;
  /** The same with one incubating seed, by its slot. */
  readonly trials: Readonly<Record<string, Step>>;
  /** Statistics of one batch at every slot; null where there are no slots. */
  readonly health: HealthStep | null;
  destroy(): void;
}

export interface AssemblyParts {
  readonly gpu: Gpu;
  readonly model: GrowableModel;
  readonly examples: ExampleStore;
  readonly store: ParameterStore;
  readonly optimizer: Optimizer;
  /** Null where there are no slow weights. */
  readonly lookahead?: Lookahead | null;
  readonly config: RunConfig;
  /** As in `compile`. Default: the first variant that fits. */
  readonly choose?: ChooseVariant;
  /** Resolves when the kernels of a seed are known to be right; rejects, with the reason, where they are not. */
  admit(seed: PlantedSeed, slot: string): Promise<void>;
}

/** The group of running averages and of what never changes. */
export const UNTRAINED = "untrained";

/** Step value of evaluations: 1 for an example that counts, 0 past the end of a part. */
export const WEIGHTS = "example weights";

/** Builds the programs of topologies, each once. */
export class Assembler {
  /** Rows of training steps: loss, accuracy, the loss of each shadow pass, then what the optimiser reads off. */
  readonly trainRing: MetricsRing;
  /** Rows of evaluation batches: summed loss, number of hits. */
  readonly evaluationRing: MetricsRing;
  readonly #parts: AssemblyParts;
  readonly #built = new Map<string, Promise<Assembly>>();

  constructor(parts: AssemblyParts) {
    this.#parts = parts;
    const { gpu, config } = parts;
    this.trainRing = new MetricsRing(
      gpu,
      2 + config.growth.maxLive,
      NORM_COLUMNS,
      4 * config.loop.metricsSteps,
    );
    this.evaluationRing = new MetricsRing(gpu, 2, 0, 256);
  }

  /**
   * The assembly of a topology, ready or being built. Parameters that the store lacks join it at once, with their first
   * values.
   */
  get(topology: Topology): Promise<Assembly> {
    const key = topologyKey(topology);
    let assembly = this.#built.get(key);
    if (!assembly) {
      assembly = this.#build(topology);
      this.#built.set(key, assembly);
      assembly.catch(() => this.#built.delete(key));
    }
    return assembly;
  }

  /**
   * A program that scores a network, seeds that incubate left out, by running statistics, on as many views of each example.
   * The caller frees it.
   */
  scorer(topology: Topology, views: ViewCount = 1): Promise<Step> {
    return this.#evaluate(seedsWith(topology, (mode) => !incubates(mode)), "running", views);
  }

  /** Frees all assemblies but those of the topologies given. */
  async keep(topologies: readonly Topology[]): Promise<void> {
    const keys = new Set(topologies.map(topologyKey));
    for (const [key, assembly] of [...this.#built]) {
      if (keys.has(key)) continue;
      this.#built.delete(key);
      await assembly.then((built) => built.destroy(), () => {});
    }
  }

  async destroy(): Promise<void> {
    await this.keep([]);
    this.trainRing.destroy();
    this.evaluationRing.destroy();
  }

  /** Builds all graphs before the first wait, so that what the store holds is settled when `get` returns. */
  #build(topology: Topology): Promise<Assembly> {
    const settled = seedsWith(topology, (mode) => !incubates(mode));
    const updating = seedsWith(topology, (mode) => mode !== "shadow");
    const shadows = seedsWith(topology, (mode) => mode === "shadow");
    const train = this.#train(updating, {});
    const shadow = Object.keys(shadows).length > 0 ? this.#train(updating, shadows) : null;
    const evaluate = this.#evaluate(settled, "batch");
    const incubating = Object.entries(topology).filter(([, seed]) => incubates(seed.mode));
    const trials = incubating.map(([slot, seed]) =>
      [slot, this.#evaluate({ ...settled, [slot]: { ...seed, mode: "blend" } }, "batch")] as const
    );
    const health = this.#health(topology);
    // A fossil was admitted when it was sown.
    const sown = Object.entries(seedsWith(topology, (mode) => mode !== "fossil"));
    const admitted = Promise.all(sown.map(([slot, seed]) => this.#parts.admit(seed, slot)));
    return finish(topology, admitted, { train, shadow, evaluate, health }, trials);
  }

  #train(updating: Topology, shadows: Topology): Promise<Step> {
    const { config, store } = this.#parts;
    const { row, writes } = withSharedNodes(() => {
      const scope = new TraceScope();
      const augment = config.data.kind === "spirals" ? undefined : config.data.augment;
      const { x, labels } = this.#parts.examples.batch(config.train.batch, augment);
      const lossOf = (logits: Tensor, apart: boolean) =>
        meanCrossEntropy(logits, labels, {
          smoothing: config.train.labelSmoothing,
          cotangent: this.#cotangent(apart),
        });
      const { logits, stopAt } = this.#parts.model.trace(scope, x, updating);
      const { loss, scores } = lossOf(logits, false);
      const writes = this.#gradients(loss, scope, () => true, stopAt, false);
      const shadowLosses = Object.entries(shadows).map(([slot, seed]) => {
        const trace = this.#parts.model.trace(scope, x, { ...updating, [slot]: seed });
        const { loss: shadowLoss } = lossOf(trace.logits, true);
        writes.push(
          ...this.#gradients(shadowLoss, scope, (group) => group === `seed/${seed.seed}`, trace.stopAt, true),
        );
        return shadowLoss;
      });
      writes.push(...scope.averages.map(({ name, next }) => ({ tensor: next, into: store.view(name) })));
      return { row: rowOf(scores, shadowLosses, 2 + config.growth.maxLive), writes };
    });
    return this.#compileTrain(Object.keys(shadows).length > 0 ? "shadow" : "train", row, writes);
  }

  async #compileTrain(
    label: string,
    row: Tensor,
    writes: readonly Write[],
  ): Promise<Step> {
    const { optimizer, lookahead } = this.#parts;
    const stepInputs = [optimizer.stepInput, this.trainRing.stepInput];
    if (lookahead) stepInputs.push(lookahead.stepInput);
    const program = await this.#compile(label, { row }, stepInputs, writes);
    const update = await optimizer.bind(program.step);
    if (lookahead) update.push(await lookahead.bind(program.step));
    const append = await this.trainRing.bind(program.step, program.outputs.row, optimizer.norms);
    return { program, dispatches: [...program.dispatches, ...update, append] };
  }

  /** Gradients of the parameters declared so far whose group is chosen; new parameters join the store. */
  #gradients(
    loss: Tensor,
    scope: TraceScope,
    chosen: (group: string) => boolean,
    stopAt: readonly Tensor[],
    apart: boolean,
  ): Write[] {
    this.#admit(scope);
    const parameters = scope.parameters.filter(({ name }) => chosen(this.#parts.model.groupOf(name)));
    const tensors = gradients(loss, parameters.map(({ tensor }) => tensor), stopAt, this.#cotangent(apart));
    return parameters.map(({ name }, k) => ({
      tensor: tensors[k],
      into: this.#parts.store.gradientView(name),
    }));
  }

  /** What gradients begin with, those of seeds in the shadow apart from the host's; in fp32 none. */
  #cotangent(apart: boolean): Tensor | undefined {
    return this.#parts.optimizer.lossScale?.cotangent(apart);
  }

  #admit(scope: TraceScope): void {
    const { store, config, model, examples } = this.#parts;
    const known = new Set(store.names);
    const join = (spec: ParameterSpec, group: string) => {
      if (known.has(spec.name)) return;
      const values = initialise(spec.name, spec.shape, spec.init, config.seed, examples.whiten);
      store.add([{ spec, values }], group);
    };
    for (const spec of scope.parameters) join(spec, model.groupOf(spec.name));
    for (const spec of scope.untrained) join(spec, UNTRAINED);
  }

  /**
   * A program that evaluates, normalising as training does or, for scores that count, by running statistics alone, which
   * a change of α leaves behind.
   */
  #evaluate(topology: Topology, statistics: Statistics, views: ViewCount = 1): Promise<Step> {
    const { examples, model, config } = this.#parts;
    const row = withSharedNodes(() => {
      const scope = new TraceScope(statistics);
      const { labels } = examples.batch(config.train.batch);
      const logits = overViews(views, (view) => {
        const { x } = examples.batch(config.train.batch, undefined, view);
        return model.trace(scope, x, topology).logits;
      });
      this.#admit(scope);
      const weights = stepInput(WEIGHTS, [config.train.batch]);
      const perExample = [softmaxCrossEntropy(logits, labels, { smoothing: 0 }), correct(logits, labels)];
      return concat(perExample.map((values) => reshape(sum(mul(values, weights)), [1])), 0);
    });
    return this.#compileEvaluate(row);
  }

  async #health(topology: Topology): Promise<HealthStep | null> {
    const { examples, model, config } = this.#parts;
    const trace = withSharedNodes(() => {
      const scope = new TraceScope();
      return traceHealth(model, scope, examples.batch(config.train.batch).x, topology);
    });
    if (!trace) return null;
    const { row, settledFlops } = trace;
    const program = await this.#compile("health", { row }, []);
    return { program, dispatches: program.dispatches, topology, settledFlops };
  }

  async #compileEvaluate(row: Tensor): Promise<Step> {
    const program = await this.#compile("evaluate", { row }, [this.evaluationRing.stepInput]);
    const append = await this.evaluationRing.bind(program.step, program.outputs.row, program.outputs.row);
    return { program, dispatches: [...program.dispatches, append] };
  }

  #compile(
    label: string,
    outputs: Readonly<Record<string, Tensor>>,
    stepInputs: readonly Tensor[],
    writes: readonly Write[] = [],
  ): Promise<Program> {
    const { gpu, choose = firstFit, config: { engine: { precision } } } = this.#parts;
    const memory = (source: Source) => this.#memory(source);
    return compile(gpu, { label, outputs, stepInputs, writes, memory, choose, precision });
  }

  #memory(source: Source) {
    const { examples, optimizer, store } = this.#parts;
    return examples.memory(source) ?? optimizer.lossScale?.memory(source) ?? store.view(source.name);
  }
}

/** A row of metrics: what the loss's kernel has of it, losses of seeds in the shadow, and zeros. */
function rowOf(scores: Tensor, shadowLosses: readonly Tensor[], width: number): Tensor {
  if (shadowLosses.length === 0 && width <= scores.shape[0]) return range(scores, 0, [width]);
  const rest = width - 2 - shadowLosses.length;
  const parts = [range(scores, 0, [2]), ...shadowLosses.map((loss) => reshape(loss, [1]))];
  return concat(rest > 0 ? [...parts, full([rest], 0)] : parts, 0);
}

/** Waits for all parts; where one fails, the others are freed and its error is the assembly's. */
async function finish(
  topology: Topology,
  admitted: Promise<unknown>,
  building: { readonly [K in "train" | "shadow" | "evaluate" | "health"]: Promise<Assembly[K]> | null },
  trying: readonly (readonly [string, Promise<Step>])[],
): Promise<Assembly> {
  const steps = [...Object.values(building), ...trying.map(([, step]) => step)];
  const free = (built: readonly (Step | null)[]) => built.forEach((step) => step?.program.destroy());
  const settled = await Promise.allSettled([...steps, admitted]);
  const failed = settled.find((result) => result.status === "rejected");
  if (failed) {
    free(await Promise.all(steps.map((step) => step?.catch(() => null) ?? null)));
    throw failed.reason;
  }
  const trials = Object.fromEntries(
    await Promise.all(trying.map(async ([slot, step]) => [slot, await step] as const)),
  );
  const built = {
    train: await building.train!,
    shadow: await building.shadow,
    evaluate: await building.evaluate!,
    health: await building.health,
  };
  const all = [...Object.values(built), ...Object.values(trials)];
  return { topology, ...built, trials, destroy: () => free(all) };
}

/** A step with its values, to be submitted. */
export function queued({ program, dispatches }: Step, values: StepValues): QueuedStep {
  return { step: program.step, values, dispatches };
}

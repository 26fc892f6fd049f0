import type { Blueprint } from "../contracts/blueprint.ts";
import { type ChooseVariant, firstFit, schedule } from "../engine/compile/schedule.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { GpuError } from "../engine/gpu/errors.ts";
import type { Dispatch } from "../engine/gpu/kernel.ts";
import { specialize } from "../engine/gpu/specialize.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson, type Json } from "../util/json.ts";
import { formatShape, type Shape } from "../util/shape.ts";
import type { Hash, Store } from "../urza/store.ts";
import { BlueprintError } from "./build.ts";
import { fitOf, parseBlueprint } from "./check.ts";
import { settleOnce, type Verdict } from "./lease.ts";
import type { KernelArtefact, KernelManifest, KernelReport, Validation } from "./report.ts";
import { traceTrial, type Trial } from "./trial.ts";
import { validate } from "./validate.ts";

/** Compiles and validates blueprints in the background, each once a device, and remembers what came of it. */
export interface Tezzeret {
  /**
   * Admits a blueprint to slots whose activation has `shape` ([H, W, C] or [C], one example): resolves when its kernels
   * are known to equal their float64 reference on this device.
   *
   * @throws {BlueprintError} if they do not, or did not when they were compiled before, or if it does not fit the slot.
   */
  admit(blueprint: Blueprint, shape: Shape): Promise<KernelReport>;
  /** Notes that a running program now holds the admitted kernels: VALIDATED → DEPLOYED. */
  deploy(blueprint: Blueprint, shape: Shape): Promise<void>;
}

export interface TezzeretOptions {
  readonly gpu: Gpu;
  readonly store: Store;
  /** Version of Esper: kernels of another one are validated anew. */
  readonly version: string;
  /** Seed of the values that kernels are tried on. Default 1. */
  readonly seed?: number;
  /** As in `compile`. Default: the first variant that fits. */
  readonly choose?: ChooseVariant;
  /** Name under which work is claimed, unique to this process. Default: a random one. */
  readonly owner?: string;
  /** For how long. Also how long the work of a killed process is left alone. Default 5000. */
  readonly leaseMs?: number;
}

/** A kernel with its final text. */
interface Kernel extends KernelArtefact {
  readonly code: string;
  readonly dispatch: Dispatch;
}

const encode = (text: string) => new TextEncoder().encode(text);
const pause = () => new Promise((resolve) => setTimeout(resolve));

/** A compile service on a device, with its records in a store. */
export function createTezzeret(options: TezzeretOptions): Tezzeret {
  const { gpu, store, version, seed = 1, choose = firstFit, leaseMs = 5000 } = options;
  const owner = options.owner ?? `tezzeret ${crypto.randomUUID()}`;
  const admitted = new Map<string, Promise<KernelReport>>();

  const claim = (kind: "blueprint" | "kernel", hash: Hash, meta: unknown) => ({
    kind,
    hash,
    meta: meta as Json,
    owner,
    leaseMs,
  });

  /** The blueprint's record, and its IR as a blob. Records come first: what none mentions may be collected. */
  async function registerBlueprint(blueprint: Blueprint): Promise<Hash> {
    const ir = encode(canonicalJson(blueprint));
    const hash = await sha256(ir);
    const { name, version, about } = blueprint;
    const record = await settleOnce(
      store.records,
      claim("blueprint", hash, { name, version, about }),
      async () => {
        await store.put(ir);
        return await verdictOf(() => void parseBlueprint(blueprint));
      },
    );
    throwIfInvalid(record);
    return hash;
  }

  async function compileKernels(blueprint: Blueprint, shape: Shape): Promise<KernelReport> {
    const fit = fitOf(blueprint, shape);
    if (!fit.fits) throw new BlueprintError(fit.reason);
    const ir = await registerBlueprint(blueprint);
    const trial = traceTrial(blueprint, shape);
    const kernels = await kernelsOf(gpu, trial, choose);
    const manifest: KernelManifest = {
      blueprint: blueprint.name,
      ir,
      shape,
      checkedShape: trial.shape,
      dtype: "f32",
      adapter: gpu.adapter,
      version,
      kernels: kernels.map(({ name, sha256, dispatches }) => ({ name, sha256, dispatches })),
    };
    const key = await sha256(canonicalJson(manifest));
    const record = await settleOnce(store.records, claim("kernel", key, manifest), async () => {
      const started = performance.now();
      for (const { code } of kernels) await store.put(encode(code));
      return await verdictOf(async () => {
        await buildPipelines(gpu, kernels);
        const measured = await validate(gpu, trial, { seed, choose });
        const { parameters, flops } = fit;
        return { ...measured, parameters, flops, elapsedMs: performance.now() - started };
      }, `blueprint ${blueprint.name} at ${formatShape(shape)}: `);
    });
    throwIfInvalid(record);
    return { key, ...manifest, ...record.report as unknown as Validation };
  }

  function admit(blueprint: Blueprint, shape: Shape): Promise<KernelReport> {
    const name = `${canonicalJson(blueprint)} ${formatShape(shape)}`;
    let report = admitted.get(name);
    if (!report) {
      report = compileKernels(blueprint, shape);
      admitted.set(name, report);
      report.catch(() => admitted.delete(name));
    }
    return report;
  }

  return {
    admit,
    async deploy(blueprint, shape) {
      const { key } = await admit(blueprint, shape);
      const { state } = await store.records.read("kernel", key);
      if (state === "VALIDATED") await store.records.move("kernel", key, "DEPLOYED", "in a running program");
    },
  };
}

/** What the record says of work that a `BlueprintError` may end; other errors are nobody's verdict and pass. */
async function verdictOf(work: () => unknown, prefix = ""): Promise<Verdict> {
  try {
    return { to: "VALIDATED", report: await work() as Json ?? null };
  } catch (error) {
    if (!(error instanceof BlueprintError)) throw error;
    return { to: "INVALID", report: { reason: prefix + error.message } };
  }
}

function throwIfInvalid({ state, report }: { state: string; report: Json }): void {
  if (state === "INVALID") throw new BlueprintError((report as { reason: string }).reason);
}

/** The kernels that `compile` will make of a trial, each once. */
async function kernelsOf(gpu: Gpu, trial: Trial, choose: ChooseVariant): Promise<Kernel[]> {
  const tasks = schedule(Object.values(trial.outputs), gpu.traits, choose);
  const kernels = new Map<string, Kernel>();
  for (const dispatch of tasks.flatMap(({ lowering }) => lowering.dispatches)) {
    const code = specialize(dispatch.name, dispatch.source, dispatch.constants);
    const { dispatches = 0, sha256: hash = await sha256(code) } = kernels.get(code) ?? {};
    kernels.set(code, { name: dispatch.name, sha256: hash, dispatches: dispatches + 1, code, dispatch });
  }
  return [...kernels.values()];
}

/**
 * Compiles kernels into the device's cache.
 *
 * @throws {BlueprintError} if the device refuses one; a lost device is not the blueprint's fault.
 */
async function buildPipelines(gpu: Gpu, kernels: readonly Kernel[]): Promise<void> {
  for (const { dispatch } of kernels) {
    try {
      await gpu.pipelines.get(dispatch);
    } catch (error) {
      gpu.check();
      if (!(error instanceof GpuError)) throw error;
      throw new BlueprintError(error.message, { cause: error });
    }
    await pause();
  }
}

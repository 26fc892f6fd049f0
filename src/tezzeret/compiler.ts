import type { Blueprint } from "../contracts/blueprint.ts";
import type { Precision } from "../engine/compile/storage.ts";
import type { AdapterDescription } from "../engine/gpu/device.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson, type Json } from "../util/json.ts";
import { formatShape, type Shape } from "../util/shape.ts";
import type { Hash, Store } from "../urza/store.ts";
import { type Breaker, BreakerError, type BreakerOptions, createBreaker } from "./breaker.ts";
import { BlueprintError } from "./build.ts";
import { fitOf, parseBlueprint } from "./check.ts";
import { createKernelCache, type KernelCacheOptions } from "./kernel_cache.ts";
import { settleOnce, type Verdict } from "./lease.ts";
import { createQueue } from "./queue.ts";
import type { KernelManifest, KernelReport } from "./report.ts";
import { DeviceLostError, type Workshop } from "./workshop.ts";

/** Compiles and validates blueprints beside training, each once a device, and remembers what came of it. */
export interface Tezzeret {
  /**
   * Admits a blueprint to slots whose activation has `shape` ([H, W, C] or [C], one example): resolves when its kernels
   * are known to equal their float64 reference on this device.
   *
   * @throws {BlueprintError} if they do not, or did not when they were compiled before, or if it does not fit the slot.
   * @throws {BreakerError} if compiling has failed again and again for other reasons.
   */
  admit(blueprint: Blueprint, shape: Shape): Promise<KernelReport>;
  /** What `admit` would resolve with at once; null where it would have to ask. Never waits, so a step may ask. */
  known(blueprint: Blueprint, shape: Shape): KernelReport | null;
  /** Compiles what may be asked for later, once nothing urgent is left to do. What fails is told when it is asked for. */
  prepare(blueprint: Blueprint, shape: Shape): void;
  /** Notes that a running program now holds the admitted kernels: VALIDATED → DEPLOYED. */
  deploy(blueprint: Blueprint, shape: Shape): Promise<void>;
  /** Leaves undone what has not begun, waits for the rest and closes the workshop. */
  close(): Promise<void>;
}

export interface TezzeretOptions {
  /** What kernels are compiled for. */
  readonly adapter: AdapterDescription;
  /** Default fp32. */
  readonly precision?: Precision;
  /** Where that is done. `close` closes it. */
  readonly workshop: Workshop;
  readonly store: Store;
  /** Version of Esper: kernels of another one are validated anew. */
  readonly version: string;
  /** Name under which work is claimed, unique to this process. Default: a random one. */
  readonly owner?: string;
  /** For how long, until it is renewed. Also how long the work of a killed process is left alone. Default 5000. */
  readonly leaseMs?: number;
  readonly cache?: KernelCacheOptions;
  readonly breaker?: Omit<BreakerOptions, "counts">;
}

/** Admissions at once: while one waits for the device or the store, another is traced. */
const AT_ONCE = 2;

const encode = (text: string) => new TextEncoder().encode(text);

/** A compile service with its records in a store. */
export function createTezzeret(options: TezzeretOptions): Tezzeret {
  const { adapter, precision = "fp32", workshop, store, version, leaseMs = 5000 } = options;
  const owner = options.owner ?? `tezzeret ${crypto.randomUUID()}`;
  const cache = createKernelCache<KernelReport>({
    ...options.cache,
    // What was not even tried, or lost its device, says nothing of the blueprint.
    remembers: (error) => !(error instanceof BreakerError || error instanceof DeviceLostError),
  });
  const breaker: Breaker = createBreaker("tezzeret", {
    ...options.breaker,
    counts: (error) => !(error instanceof BlueprintError),
  });
  const queue = createQueue(AT_ONCE);
  /** Keys by blueprint and shape: canonical text and hash take longer than all the rest of a hit. */
  const keys = new WeakMap<Blueprint, Map<string, Hash>>();

  async function keyOf(blueprint: Blueprint, shape: Shape): Promise<Hash> {
    const known = keys.get(blueprint) ?? new Map<string, Hash>();
    keys.set(blueprint, known);
    const where = shape.join();
    const key = known.get(where) ??
      await kernelCacheKey({ ir: blueprint, shape, precision, adapter, version });
    known.set(where, key);
    return key;
  }

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
    const { kernels, ...shapes } = await workshop.draft({ blueprint, shape });
    const manifest: KernelManifest = {
      blueprint: blueprint.name,
      ir,
      shape,
      ...shapes,
      precision,
      adapter,
      version,
      kernels: kernels.map(({ name, sha256, dispatches }) => ({ name, sha256, dispatches })),
    };
    const key = await sha256(canonicalJson(manifest));
    const record = await settleOnce(store.records, claim("kernel", key, manifest), async (heartbeat) => {
      const started = performance.now();
      for (const { code } of kernels) await store.put(encode(code));
      return await verdictOf(async () => {
        const measured = await workshop.test({ blueprint, shape }, heartbeat);
        return { ...measured, elapsedMs: performance.now() - started };
      }, `blueprint ${blueprint.name} at ${formatShape(shape)}: `);
    });
    throwIfInvalid(record);
    return {
      key,
      ...manifest,
      ...record.report as unknown as Omit<KernelReport, keyof KernelManifest | "key">,
    };
  }

  async function ask(blueprint: Blueprint, shape: Shape, urgent: boolean): Promise<KernelReport> {
    const key = await keyOf(blueprint, shape);
    if (urgent) queue.hurry(key);
    return await cache.get(key, () =>
      queue.run(key, () =>
        breaker.run(async () => {
          const value = await compileKernels(blueprint, shape);
          return { value, sizeBytes: JSON.stringify(value).length };
        }), urgent));
  }

  function known(blueprint: Blueprint, shape: Shape): KernelReport | null {
    const key = keys.get(blueprint)?.get(shape.join());
    return key === undefined ? null : cache.peek(key) ?? null;
  }

  async function admit(blueprint: Blueprint, shape: Shape): Promise<KernelReport> {
    return known(blueprint, shape) ?? await ask(blueprint, shape, true);
  }

  return {
    admit,
    known,
    prepare: (blueprint, shape) => void ask(blueprint, shape, false).catch(() => {}),
    async deploy(blueprint, shape) {
      const { key } = await admit(blueprint, shape);
      const { state } = await store.records.read("kernel", key);
      if (state === "VALIDATED") await store.records.move("kernel", key, "DEPLOYED", "in a running program");
    },
    async close() {
      await queue.close();
      await workshop.close();
    },
  };
}

/** What decides what a blueprint compiles to. */
export interface KernelIdentity {
  readonly ir: Blueprint;
  readonly shape: Shape;
  readonly precision: Precision;
  readonly adapter: AdapterDescription;
  readonly version: string;
}

/** SHA-256 of the canonical JSON: the same in every process and for ever. */
export async function kernelCacheKey(identity: KernelIdentity): Promise<Hash> {
  return await sha256(canonicalJson(identity));
}

/** What the record says of work that a `BlueprintError` may end; other errors are nobody's verdict and pass. */
async function verdictOf(work: () => unknown, prefix = ""): Promise<Verdict> {
  try {
    return { to: "VALIDATED", report: await work() as Json ?? null };
  } catch (error) {
    if (!(error instanceof BlueprintError)) throw error;
    const { message, spentFlops } = error;
    return { to: "INVALID", report: { reason: prefix + message, spentFlops } };
  }
}

function throwIfInvalid({ state, report }: { state: string; report: Json }): void {
  if (state === "INVALID") throw new BlueprintError((report as { reason: string }).reason);
}

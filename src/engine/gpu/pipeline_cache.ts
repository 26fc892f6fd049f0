import { ownTurn } from "../../util/turns.ts";
import { GpuError } from "./errors.ts";
import { storeHalves } from "./half_storage.ts";
import type { Dispatch } from "./kernel.ts";
import { type Access, bindingAccess, specialize } from "./specialize.ts";

/** A compiled kernel. */
export interface Pipeline {
  /** WebGPU's own. */
  readonly pipeline: GPUComputePipeline;
  /** Of group 0. */
  readonly layout: GPUBindGroupLayout;
  /** Of each binding. */
  readonly access: readonly Access[];
}

/**
 * Compiled kernels by their final WGSL text; each text is compiled once a device. Compiling goes on beside a training
 * loop: WGSL is read on the thread that asks, one kernel in a turn of the event loop, and the rest is the driver's.
 */
export class PipelineCache {
  #device: GPUDevice;
  #layouts = new Map<string, GPUBindGroupLayout>();
  #pipelines = new Map<string, Promise<Pipeline>>();
  /** The same by what was asked for: texts take longer to make than all the rest of a hit. */
  #asked = new Map<string, Promise<Pipeline>>();

  /** Compiles for one device. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Number of kernels compiled so far. */
  get size(): number {
    return this.#pipelines.size;
  }

  /**
   * The pipeline of a dispatch; `halves` are the operands that are stored as f16.
   *
   * @throws {GpuError} if the WGSL does not compile: kernel, line and the compiler's words.
   */
  get({ name, source, constants }: Dispatch, halves: readonly boolean[] = []): Promise<Pipeline> {
    const asked = `${halves.map(Number)} ${JSON.stringify(constants)} ${source}`;
    const known = this.#asked.get(asked);
    if (known) return known;
    const code = storeHalves(name, specialize(name, source, constants), halves);
    const pipeline = this.#pipelines.get(code) ?? this.#compile(name, code);
    this.#pipelines.set(code, pipeline);
    this.#asked.set(asked, pipeline);
    return pipeline;
  }

  async #compile(name: string, code: string): Promise<Pipeline> {
    await ownTurn();
    const access = bindingAccess(code);
    const layout = this.#layout(access);
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label: name, code });
    const descriptor = {
      label: name,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    };
    const creating = this.#device.createComputePipelineAsync(descriptor)
      .catch((error: unknown) => error as Error);
    const scope = this.#device.popErrorScope();
    const invalid = await scope;
    const pipeline = await creating;
    if (invalid || pipeline instanceof Error) {
      const { messages } = await module.getCompilationInfo();
      const first = messages.find((m) => m.type === "error");
      const text = first?.message.split("\n").find((line) => line.trim()) ?? invalid?.message ??
        (pipeline as Error).message;
      throw new GpuError(`kernel ${name}: WGSL line ${first?.lineNum ?? "?"}: ${text}`);
    }
    return { pipeline, layout, access };
  }

  #layout(access: readonly Access[]): GPUBindGroupLayout {
    const key = access.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.#device.createBindGroupLayout({
        entries: access.map((mode, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: mode === "read" ? "read-only-storage" : "storage" },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

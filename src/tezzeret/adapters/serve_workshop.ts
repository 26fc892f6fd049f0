import { type Gpu, openDevice } from "../../engine/gpu/device.ts";
import { GpuError } from "../../engine/gpu/errors.ts";
import { KernelChoices } from "../../engine/tune/choices.ts";
import { canonicalJson } from "../../util/json.ts";
import { createWorkshop, DeviceLostError, type Workshop } from "../workshop.ts";
import { type FarOptions, type Reply, type Request, sent } from "./protocol.ts";

interface Opened {
  readonly workshop: Workshop;
  readonly gpu: Gpu;
}

async function open({ adapter, variants = {}, ...options }: FarOptions): Promise<Opened> {
  const gpu = await openSame(adapter.backend);
  if (canonicalJson(gpu.adapter) !== canonicalJson(adapter)) {
    gpu.destroy();
    throw new GpuError(
      `workshop: want the adapter that trains, ${adapter.description}, got ${gpu.adapter.description}`,
    );
  }
  const source = { variants, origin: "the run's kernels", cure: "tune again (main.ts tune-kernels)" };
  const { choose } = new KernelChoices([source]);
  return { workshop: createWorkshop({ ...options, gpu, choose }), gpu };
}

async function openSame(backend: FarOptions["adapter"]["backend"]): Promise<Gpu> {
  if (backend !== "dawn") return await openDevice(navigator.gpu, backend);
  const { createDawn } = await import("../../engine/gpu/adapters/dawn.ts");
  return await openDevice(await createDawn(), backend);
}

/** Works on requests, on a device that the first of them says how to open; `post` takes replies and signs of life. */
export function serveWorkshop(post: (reply: Reply) => void): (request: Request) => Promise<void> {
  let options: FarOptions | null = null;
  let opening: Promise<Opened> | null = null;

  /** The workshop, on a new device where the last one was lost or none could be had. */
  async function opened(): Promise<Opened> {
    opening ??= open(options!);
    const mine = opening;
    try {
      return await mine;
    } catch (error) {
      if (opening === mine) opening = null;
      throw error;
    }
  }

  async function answer(request: Request): Promise<unknown> {
    if (request.kind === "open") {
      options = request.options;
      await opened();
      return null;
    }
    const { workshop, gpu } = await opened(), mine = opening;
    if (request.kind === "draft") return await workshop.draft(request.order);
    const { id, order, beatMs } = request;
    const beat = () => post({ id, beat: true });
    try {
      return await workshop.test(order, beatMs === undefined ? undefined : { everyMs: beatMs, beat });
    } catch (error) {
      if (error instanceof DeviceLostError && opening === mine) {
        opening = null;
        gpu.destroy();
      }
      throw error;
    }
  }

  return async (request) => {
    const { id } = request;
    try {
      post({ id, result: await answer(request) });
    } catch (error) {
      post({ id, error: sent(error) });
    }
  };
}

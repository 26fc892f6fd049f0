/** A thread that compiles and tries kernels on a device of its own. Started by `workshop_worker.ts`. */
import { type Gpu, openDevice } from "../../engine/gpu/device.ts";
import { GpuError } from "../../engine/gpu/errors.ts";
import { KernelChoices } from "../../engine/tune/choices.ts";
import { canonicalJson } from "../../util/json.ts";
import { createWorkshop, type Workshop } from "../workshop.ts";
import type { FarOptions, Reply, Request } from "./protocol.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(reply: Reply): void;
};

async function open({ adapter, variants = {}, ...options }: FarOptions): Promise<Workshop> {
  const gpu = await openSame(adapter.backend);
  if (canonicalJson(gpu.adapter) !== canonicalJson(adapter)) {
    gpu.destroy();
    throw new GpuError(
      `workshop: want the adapter that trains, ${adapter.description}, got ${gpu.adapter.description}`,
    );
  }
  const source = { variants, origin: "the run's kernels", cure: "tune again (main.ts tune-kernels)" };
  const { choose } = new KernelChoices([source]);
  return createWorkshop({ ...options, gpu, choose });
}

async function openSame(backend: FarOptions["adapter"]["backend"]): Promise<Gpu> {
  if (backend !== "dawn") return await openDevice(navigator.gpu, backend);
  const { createDawn } = await import("../../engine/gpu/adapters/dawn.ts");
  return await openDevice(await createDawn(), backend);
}

let workshop: Promise<Workshop> | null = null;

async function answer(request: Request): Promise<unknown> {
  if (request.kind === "open") {
    workshop = open(request.options);
    await workshop;
    return null;
  }
  const { draft, test } = await workshop!;
  if (request.kind === "draft") return await draft(request.order);
  const { id, order, beatMs } = request;
  return await test(
    order,
    beatMs === undefined ? undefined : { everyMs: beatMs, beat: () => scope.postMessage({ id, beat: true }) },
  );
}

scope.onmessage = async ({ data }) => {
  const { id } = data;
  try {
    scope.postMessage({ id, result: await answer(data) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ id, error: { name, message } });
  }
};

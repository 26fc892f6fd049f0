import { type BackendName, type Gpu, openDevice } from "../../src/engine/gpu/device.ts";

/** Where Debian's chromium keeps its software Vulkan driver. */
export const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

// Vulkan's loader complains where there is no such folder, and Deno takes OpenGL without a word where there is no Vulkan.
for (const [name, value] of [["XDG_RUNTIME_DIR", "/tmp"], ["DENO_WEBGPU_BACKEND", "vulkan"]]) {
  if (Deno.build.os === "linux" && !Deno.env.get(name)) Deno.env.set(name, value);
}

async function openNative(): Promise<Gpu> {
  return await openDevice(navigator.gpu, "native");
}

/** Dawn on a GPU, else on the SwiftShader that Debian's chromium ships; null where there is neither. */
async function openDawn(): Promise<Gpu | null> {
  const native = await openShared("native");
  const { createDawn } = await import("../../src/engine/gpu/adapters/dawn.ts");
  if (native && !native.adapter.software) return await openDevice(await createDawn(), "dawn");
  try {
    Deno.statSync(SWIFTSHADER);
  } catch {
    return null;
  }
  return await onSwiftShader(async () => await openDevice(await createDawn(), "dawn"));
}

/** Opens what is to run on SwiftShader: Dawn refuses Mesa's driver, which `native` keeps. */
export async function onSwiftShader<T>(open: () => Promise<T>): Promise<T> {
  // The Vulkan loader reads this when an instance is made.
  const before = Deno.env.get("VK_DRIVER_FILES");
  Deno.env.set("VK_DRIVER_FILES", SWIFTSHADER);
  try {
    return await open();
  } finally {
    if (before === undefined) Deno.env.delete("VK_DRIVER_FILES");
    else Deno.env.set("VK_DRIVER_FILES", before);
  }
}

const open: Partial<Record<BackendName, () => Promise<Gpu | null>>> = { native: openNative, dawn: openDawn };
const shared = new Map<BackendName, Promise<Gpu | null>>();

/** A device that the tests of one file share; null, said aloud, where the machine has no such implementation. */
export function openShared(backend: BackendName): Promise<Gpu | null> {
  let gpu = shared.get(backend);
  if (!gpu) {
    gpu = open[backend]!();
    gpu.then((g) =>
      g ?? console.log(`SKIPPED: ${backend} is not here (apt-get install chromium brings SwiftShader)`)
    );
    shared.set(backend, gpu);
  }
  return gpu;
}

/** A device of a test's own, on an implementation that is present. The test destroys it. */
export async function openOwn(backend: BackendName): Promise<Gpu> {
  return (await open[backend]!())!;
}

/** Runs a test on every implementation that is present. */
export function onEachDevice(name: string, test: (gpu: Gpu) => Promise<void> | void): void {
  for (const backend of Object.keys(open) as BackendName[]) {
    Deno.test(`${name} [${backend}]`, async () => {
      const gpu = await openShared(backend);
      if (gpu) await test(gpu);
    });
  }
}

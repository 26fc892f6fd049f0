import { type BackendName, type Gpu, openDevice } from "../../src/engine/gpu/device.ts";

/** Where Debian's chromium keeps its software Vulkan driver. */
export const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

// Set once and the same on every thread, as a process has one environment and test files share the process. Vulkan's loader
// complains where there is no folder for sockets, and Deno takes OpenGL without a word where there is no Vulkan. Dawn
// refuses Mesa's software driver and takes SwiftShader; Deno would take it, too, were Mesa's (10005:0) not put first.
const SURROUNDINGS = {
  XDG_RUNTIME_DIR: "/tmp",
  DENO_WEBGPU_BACKEND: "vulkan",
  VK_ADD_DRIVER_FILES: SWIFTSHADER,
  MESA_VK_DEVICE_SELECT: "10005:0",
};
for (const [name, value] of Object.entries(SURROUNDINGS)) {
  if (Deno.build.os === "linux" && !Deno.env.get(name)) Deno.env.set(name, value);
}

async function openNative(): Promise<Gpu> {
  return await openDevice(navigator.gpu, "native");
}

/** Dawn on a GPU, else on the SwiftShader that Debian's chromium ships; null where there is neither. */
async function openDawn(): Promise<Gpu | null> {
  const { createDawn } = await import("../../src/engine/gpu/adapters/dawn.ts");
  const native = await openShared("native");
  const here = !native?.adapter.software || await Deno.stat(SWIFTSHADER).then(() => true, () => false);
  return here ? await openDevice(await createDawn(), "dawn") : null;
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

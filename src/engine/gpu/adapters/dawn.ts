/** Dawn, Chromium's WebGPU, through its Node binding. Loaded only when chosen. */
let instance: GPU | undefined;

// The binding crashes if the object that create() returned is collected, so the module keeps it.
export async function createDawn(toggles: readonly string[] = []): Promise<GPU> {
  if (!instance) {
    const dawn = await import("webgpu");
    instance = dawn.create([...toggles]) as GPU;
  }
  return instance;
}

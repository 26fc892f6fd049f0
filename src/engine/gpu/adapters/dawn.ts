/** Dawn, Chromium's WebGPU, through its Node binding. Loaded only when chosen. */

/** Toggles that are always on. They keep every check. */
const ENABLED: readonly string[] = [
  // Where an index is provably within its array, no code clamps it.
  "enable_integer_range_analysis_in_robustness",
  // Features behind flags: f16 on NVIDIA's driver, and subgroup matrices.
  "vulkan_enable_f16_on_nvidia",
  "allow_unsafe_apis",
];
/** Toggles that are always off. */
const DISABLED: readonly string[] = [
  // Browsers round timestamps to 0.1 ms, which is longer than most kernels take.
  "timestamp_quantization",
];
/** What `unsafe` adds: kernels without bounds checks, calls without validation. */
const UNSAFE: readonly string[] = ["disable_robustness", "skip_validation"];

// The binding crashes if an object that create() returned is collected, so the module keeps them.
const instances = new Map<boolean, GPU>();

/**
 * An instance of Dawn. `unsafe` takes out the checks that keep a faulty kernel within its buffers: what it then reads or
 * overwrites is undefined.
 */
export async function createDawn({ unsafe = false }: { unsafe?: boolean } = {}): Promise<GPU> {
  const dawn = await import("webgpu");
  let instance = instances.get(unsafe);
  if (!instance) {
    const enabled = [...ENABLED, ...unsafe ? UNSAFE : []];
    instance = dawn.create([
      `enable-dawn-features=${enabled.join()}`,
      `disable-dawn-features=${DISABLED.join()}`,
    ]) as GPU;
    instances.set(unsafe, instance);
  }
  return instance;
}

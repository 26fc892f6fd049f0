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

type Later = (callback: (...args: unknown[]) => void, ...args: unknown[]) => unknown;

/** Milliseconds for which the binding may ask without a break whether work is done; after that it pauses between. */
const EAGER = 0.3;
const PAUSE = 1;

/**
 * While a promise is open, the binding asks the device in every turn of the event loop, each time by a new closure. Under
 * Deno that holds up timers, and collecting the closures stops the program for seconds. So its turns are spaced out.
 */
function spacePolls(scope: { setImmediate: Later }): void {
  const immediately = scope.setImmediate;
  let since = 0, last = 0;
  scope.setImmediate = (callback, ...args) => {
    if (!/\[native code\]/.test(Function.prototype.toString.call(callback))) {
      return immediately(callback, ...args);
    }
    const now = performance.now();
    if (now - last > 3 * PAUSE) since = now;
    last = now;
    return now - since < EAGER ? immediately(callback, ...args) : setTimeout(callback, PAUSE, ...args);
  };
}

// The binding crashes if an object that create() returned is collected, so the module keeps them.
const instances = new Map<boolean, GPU>();

/**
 * An instance of Dawn. `unsafe` takes out the checks that keep a faulty kernel within its buffers: what it then reads or
 * overwrites is undefined.
 */
export async function createDawn({ unsafe = false }: { unsafe?: boolean } = {}): Promise<GPU> {
  const dawn = await import("webgpu");
  if (instances.size === 0) spacePolls(globalThis as unknown as { setImmediate: Later });
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

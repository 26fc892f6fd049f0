/** A GPU that cannot be had or was lost; the message says the cure. */
export class GpuError extends Error {
  override name = "GpuError";
}

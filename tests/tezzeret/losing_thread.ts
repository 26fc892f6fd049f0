/**
 * The thread that compiles, on devices that are lost: each of the first so many is destroyed when it is first asked for a
 * kernel. How many, the query of this module's address says.
 */
let losses = Number(new URL(import.meta.url).searchParams.get("losses"));
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (...args) {
  const device = await requestDevice.apply(this, args);
  if (losses-- <= 0) return device;
  const create = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    device.destroy();
    return create(descriptor);
  };
  return device;
};
await import("../../src/tezzeret/adapters/workshop_thread.ts");

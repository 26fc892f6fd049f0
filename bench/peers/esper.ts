import { openDevice } from "../../src/engine/gpu/device.ts";
import { compileProducts, compileStep } from "./esper_step.ts";
import { serve } from "./serve.ts";

await serve(async () => {
  const gpu = await openDevice(navigator.gpu, globalThis.Deno ? "native" : "browser");
  const step = await compileStep(gpu);
  return {
    name: "Esper",
    adapter: gpu.adapter.description || gpu.adapter.device || gpu.adapter.architecture,
    step: () => step.run(),
    products: await compileProducts(gpu),
  };
});

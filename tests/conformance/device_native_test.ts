import { openOwn, openShared } from "../support/devices.ts";
import { deviceChecks } from "./device_suite.ts";

for (const { name, run } of deviceChecks) {
  Deno.test(`native ${name}`, async () => {
    const gpu = await openShared("native");
    if (gpu) await run({ gpu, open: () => openOwn("native"), foreignKernels: "every case" });
  });
}

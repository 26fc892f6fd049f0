import { openOwn, openShared } from "../support/devices.ts";
import { deviceChecks } from "./device_suite.ts";

for (const { name, run } of deviceChecks) {
  Deno.test(`dawn ${name}`, async () => {
    const gpu = await openShared("dawn");
    if (gpu) await run({ gpu, open: () => openOwn("dawn"), foreignKernels: "largest case" });
  });
}

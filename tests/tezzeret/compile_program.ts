/** Compiles a blueprint into the store in the folder that it is given; says which key the kernels have. */
import { openGpu } from "../../src/app/adapters/open_gpu.ts";
import { createWorkerWorkshop } from "../../src/tezzeret/adapters/workshop_worker.ts";
import { createTezzeret, createWorkshop, findBlueprint } from "../../src/tezzeret/mod.ts";
import { createFileStore } from "../../src/urza/adapters/files.ts";

const [folder, blueprint, leaseMs] = Deno.args;
const gpu = await openGpu("native");
const tezzeret = createTezzeret({
  adapter: gpu.adapter,
  workshop: createWorkerWorkshop({ adapter: gpu.adapter, instead: () => createWorkshop({ gpu }) }),
  store: createFileStore(folder),
  version: "test",
  owner: "first",
  leaseMs: Number(leaseMs),
});
const { key } = await tezzeret.admit(findBlueprint(blueprint), [4, 4, 4]);
await tezzeret.close();
gpu.destroy();
console.log(key);
// As main.ts ends: llvmpipe's threads may not survive an orderly one.
Deno.exit(0);

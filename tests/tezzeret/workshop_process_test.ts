/** The workshop in a process of its own. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { Reply, Request } from "../../src/tezzeret/adapters/protocol.ts";
import {
  createProcessWorkshop,
  openFarWorkshop,
  type ProcessOptions,
} from "../../src/tezzeret/adapters/workshop_process.ts";
import { BlueprintError } from "../../src/tezzeret/build.ts";
import { findBlueprint } from "../../src/tezzeret/library.ts";
import { createWorkshop, type Workshop } from "../../src/tezzeret/workshop.ts";
import { lines } from "../../src/util/lines.ts";
import { openShared } from "../support/devices.ts";
import { stillborn } from "./probe.ts";

const order = { blueprint: findBlueprint("affine"), shape: [4, 4, 4] };

/** Hands a workshop in a process to `look` and closes it. */
async function withProcess(
  options: Partial<ProcessOptions>,
  look: (workshop: Workshop, gpu: Gpu) => Promise<void>,
): Promise<void> {
  const gpu = (await openShared("native"))!;
  const instead = () => {
    throw new Error("no process");
  };
  const workshop = createProcessWorkshop({ adapter: gpu.adapter, instead, ...options });
  try {
    await look(workshop, gpu);
  } finally {
    await workshop.close();
  }
}

Deno.test("createProcessWorkshop() drafts and finds out what the training thread would, and is heard of meanwhile", async () => {
  await withProcess({ thorough: true, batch: 4 }, async (far, gpu) => {
    const near = createWorkshop({ gpu, thorough: true, batch: 4 });
    const before = gpu.pipelines.size;
    let beats = 0;
    const draft = await far.draft(order);
    const { errors, batchError, gradientError, reference } = await far.test(order, {
      everyMs: 1,
      beat: () => void beats++,
    });
    assertEquals([gpu.pipelines.size, beats > 0, reference !== null], [before, true, true]);
    assertEquals(draft, await near.draft(order));
    const own = await near.test(order);
    assertEquals({ errors, batchError, gradientError }, {
      errors: own.errors,
      batchError: own.batchError,
      gradientError: own.gradientError,
    });
    const { spentFlops } = await assertRejects(
      () => far.test({ blueprint: stillborn, shape: [4, 4, 4] }),
      BlueprintError,
      "got none for gamma",
    );
    assertEquals(spentFlops > 0, true);
  });
});

Deno.test("createProcessWorkshop() compiles on Dawn with the permissions that it gives", async () => {
  const gpu = await openShared("dawn");
  if (!gpu) return;
  const { adapter } = gpu;
  await withProcess({ adapter }, async (workshop) => {
    const { noOpError, stillborn } = await workshop.test(order);
    assertEquals([noOpError, stillborn], [0, []]);
  });
});

const odd = new URL("./odd_child.ts", import.meta.url);

Deno.test("createProcessWorkshop() gives up a process that crashes, says what it told last, and the next order starts another", async () => {
  await withProcess({ module: odd }, async (workshop) => {
    const crashed = "workshop: the process that compiles has crashed: exit code 3: out of memory";
    await assertRejects(() => workshop.draft(order), Error, crashed);
    await assertRejects(() => workshop.draft(order), Error, crashed);
  });
});

Deno.test("createProcessWorkshop() ends a process that is at work, and refuses orders once it is closed", async () => {
  await withProcess({}, async (workshop) => {
    const [first] = await Promise.allSettled([workshop.draft(order), workshop.close()]);
    assertEquals(String((first as PromiseRejectedResult).reason), "Error: workshop: closed");
    await assertRejects(() => workshop.draft(order), Error, "want an open workshop, got a closed one");
  });
});

/** What is told of places that another adapter is asked of: on this machine's software device all of them refuse. */
async function placesTried(): Promise<string[]> {
  const gpu = (await openShared("native"))!, told: string[] = [];
  const workshop = openFarWorkshop({
    adapter: { ...gpu.adapter, software: false, description: "a GPU" },
    instead: () => createWorkshop({ gpu }),
    onInstead: (where) => void told.push(where),
  });
  await workshop.draft(order);
  await workshop.close();
  return told.map((where) => where.replace(gpu.adapter.description, "another"));
}

const REFUSED = "workshop: want the adapter that trains, a GPU, got another";
const WHERE = [`on a thread of this process: ${REFUSED}`, `on the thread that trains: ${REFUSED}`];

Deno.test("openFarWorkshop() compiles in a process, else on a thread, else on the thread that trains, and says why", async () => {
  assertEquals(await placesTried(), WHERE);
});

Deno.test({
  name: "openFarWorkshop() starts no process without leave to",
  permissions: { run: false, read: true, env: true, write: true },
  fn: async () => assertEquals(await placesTried(), WHERE.slice(1)),
});

Deno.test("workshop_child.ts goes on when a terminal interrupts all, and ends with its input", async () => {
  const { adapter } = (await openShared("native"))!;
  const module = new URL("../../src/tezzeret/adapters/workshop_child.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-env", module.href],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const replies = lines(child.stdout), input = child.stdin.getWriter();
  const ask = async (request: Request) => {
    await input.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    return JSON.parse((await replies.next()).value!) as Reply;
  };
  assertEquals(await ask({ id: 1, kind: "open", options: { adapter } }), { id: 1, result: null });
  for (const signal of ["SIGINT", "SIGTERM"] as const) child.kill(signal);
  assertEquals("result" in await ask({ id: 2, kind: "draft", order }), true);
  await input.close();
  assertEquals([(await child.status).code, (await replies.next()).done], [0, true]);
});

/** The device suite as a page runs it: the test calls these through the global object. */
import { openDevice } from "../../src/engine/gpu/device.ts";
import { deviceChecks } from "./device_suite.ts";

const open = () => openDevice(navigator.gpu, "browser");
let shared: ReturnType<typeof open> | undefined;

/** Runs one check; resolves to what went wrong, if anything did. */
async function runCheck(name: string): Promise<string | null> {
  try {
    const { run } = deviceChecks.find((check) => check.name === name)!;
    await run({ gpu: await (shared ??= open()), open, foreignKernels: "largest case" });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

Object.assign(globalThis, { runCheck });

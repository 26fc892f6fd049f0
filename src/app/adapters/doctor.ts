import { statfsSync } from "node:fs";
import { createWorkshop, findBlueprint } from "../../tezzeret/mod.ts";
import type { Gpu } from "../../engine/gpu/device.ts";
import { openPolicy } from "../policy.ts";
import type { BackendChoice } from "../options.ts";
import { loadCifar10 } from "./cifar10_files.ts";
import { loadFashionMnist } from "./fashion_mnist_files.ts";
import type { LoadHooks, Located } from "./load_dataset.ts";
import { openGpu } from "./open_gpu.ts";
import { readPolicyFile } from "./policy_files.ts";
import { DataUnavailable, messageOf } from "./source_folder.ts";
import { loadDigits } from "../../engine/data/digits.ts";

/** What one look found: `failed` is in the way of training, `note` is not, but is worth knowing. */
export interface Finding {
  readonly what: string;
  readonly state: "ok" | "note" | "failed";
  readonly text: string;
  /** What to do; null where there is nothing to be done. */
  readonly cure: string | null;
}

export interface DoctorOptions {
  readonly backend: BackendChoice;
  /** Folder in which runs are made. */
  readonly out: string;
  /** A policy file; absent, the one that comes with Esper. */
  readonly policy?: string;
}

type Verdict = Omit<Finding, "what">;

const ok = (text: string): Verdict => ({ state: "ok", text, cure: null });
const note = (text: string, cure: string | null): Verdict => ({ state: "note", text, cure });
const failed = (text: string, cure: string): Verdict => ({ state: "failed", text, cure });

/** Data sets of images that come from files, by the name that a configuration calls them. */
export const IMAGE_SETS: Readonly<
  Record<string, (dir: string | undefined, hooks: LoadHooks) => Promise<Located>>
> = {
  "cifar10": loadCifar10,
  "fashion-mnist": loadFashionMnist,
  "digits": async () => ({ dataset: await loadDigits(), remark: null }),
};

/** Features that some kernels want, and what is done without them. */
const FEATURES: Readonly<Record<string, string>> = {
  "shader-f16": "engine.precision=mixed is not to be had",
  "timestamp-query": "--profile-kernels is not to be had",
  "subgroups": "sums take a few steps more",
};

/** What WebGPU promises everywhere, which kernels are written for. */
const LIMITS = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxStorageBufferBindingSize: 134_217_728,
} as const;

const GIB = 2 ** 30, LEAST_FREE_BYTES = GIB;

function deno(): Verdict {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  const text = `Deno ${Deno.version.deno}`;
  return major === 2 && minor >= 9 ? ok(text) : failed(`${text}, want 2.9 or later`, "sh setup.sh");
}

function features({ adapter }: Gpu): Verdict {
  const missing = Object.keys(FEATURES).filter((name) => !adapter.features.includes(name));
  if (missing.length === 0) return ok(adapter.features.join(", "));
  const lost = missing.map((name) => `no ${name}: ${FEATURES[name]}`).join("; ");
  return note(
    `${adapter.features.join(", ") || "none"}; ${lost}`,
    "a newer driver or --backend dawn may have it",
  );
}

function limits({ device }: Gpu): Verdict {
  const low = (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).filter((name) =>
    device.limits[name] < LIMITS[name]
  );
  const text = (names: readonly (keyof typeof LIMITS)[]) =>
    names.map((name) => `${name} ${device.limits[name]}`).join(", ");
  if (low.length > 0) {
    return failed(`${text(low)}: below WebGPU's defaults`, "update the driver, or another --backend");
  }
  return ok(text(Object.keys(LIMITS) as (keyof typeof LIMITS)[]));
}

/** Compiles a blueprint's kernels, and compares them with a float64 reference and its gradients with differences. */
async function kernel(gpu: Gpu): Promise<Verdict> {
  const workshop = createWorkshop({ gpu });
  try {
    const { errors } = await workshop.test({ blueprint: findBlueprint("conv3"), shape: [8, 8, 4] });
    const worst = Math.max(...Object.values(errors).map(({ relative }) => relative));
    return ok(`conv3 and its gradients agree with float64 to ${worst.toExponential(1)}`);
  } catch (error) {
    return failed(messageOf(error), "update the driver, or another --backend; tell the authors of Esper");
  } finally {
    workshop.close();
  }
}

function disk(out: string): Verdict {
  const probe = `${out}/.doctor-${crypto.randomUUID()}`;
  let made: string | undefined;
  try {
    if (!exists(out)) {
      Deno.mkdirSync(out, { recursive: true });
      made = out;
    }
    Deno.writeTextFileSync(probe, "esper");
    const whole = Deno.readTextFileSync(probe) === "esper";
    Deno.removeSync(probe);
    const { bavail, bsize } = statfsSync(out);
    const free = bavail * bsize, text = `${out}: ${(free / GIB).toFixed(1)} GiB free`;
    if (!whole) return failed(`${out}: what was read is not what was written`, "check the disk");
    return free >= LEAST_FREE_BYTES
      ? ok(text)
      : failed(`${text}, want 1 GiB`, "free space, or --out on another disk");
  } catch (error) {
    return failed(`${out}: ${messageOf(error)}`, "give leave to write there, or another --out");
  } finally {
    if (made !== undefined) Deno.removeSync(made);
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether a data set is on this machine, and whole. */
export async function findData(name: string): Promise<Verdict> {
  try {
    const { dataset, remark } = await IMAGE_SETS[name](undefined, { offline: true });
    const count = dataset.train.count + dataset.test.count;
    return ok(`${count} examples, SHA-256 ${dataset.sha256}${remark === null ? "" : `; ${remark}`}`);
  } catch (error) {
    const [text, cure = ""] = messageOf(error).replace(`${name}: `, "").split(". Cures: ");
    if (error instanceof DataUnavailable) {
      return note(text, name === "cifar10" ? `main.ts data get cifar10, or ${cure}` : cure);
    }
    return failed(text, cure === "" ? "remove what is broken, and main.ts data get it again" : cure);
  }
}

async function policy(path: string | undefined): Promise<Verdict> {
  try {
    const { sha256 } = await openPolicy(readPolicyFile(path), path ?? "default.safetensors");
    return ok(`${path ?? "the one that comes with Esper"}, SHA-256 ${sha256}`);
  } catch (error) {
    return failed(messageOf(error), "git checkout configs/policies, or main.ts train-policy");
  }
}

async function open(backend: BackendChoice): Promise<{ gpu: Gpu | null; verdict: Verdict }> {
  try {
    const gpu = await openGpu(backend);
    const { description, software, backend: found } = gpu.adapter;
    const text = `${description} by ${found === "native" ? "Deno's own WebGPU" : found}`;
    const verdict = software
      ? note(
        `${text}: a CPU; --profile small is what it can do`,
        "a GPU and its Vulkan driver take the full profile",
      )
      : ok(text);
    return { gpu, verdict };
  } catch (error) {
    return {
      gpu: null,
      verdict: failed(messageOf(error), "sh setup.sh installs a software driver where there is none"),
    };
  }
}

/** Looks at one thing after the other; what needs a device is left out where there is none. */
export async function* examine({ backend, out, policy: file }: DoctorOptions): AsyncGenerator<Finding> {
  yield { what: "runtime", ...deno() };
  const { gpu, verdict } = await open(backend);
  yield { what: "adapter", ...verdict };
  if (gpu) {
    try {
      yield { what: "features", ...features(gpu) };
      yield { what: "limits", ...limits(gpu) };
      yield { what: "kernel", ...await kernel(gpu) };
    } finally {
      gpu.destroy();
    }
  }
  yield { what: "disk", ...disk(out) };
  for (const name of Object.keys(IMAGE_SETS)) yield { what: `data ${name}`, ...await findData(name) };
  yield { what: "policy", ...await policy(file) };
}

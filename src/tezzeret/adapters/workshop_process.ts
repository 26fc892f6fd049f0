import { lines } from "../../util/lines.ts";
import type { Workshop } from "../workshop.ts";
import { createFarWorkshop, type FarWorkshopOptions, type Line, type Listener } from "./far_workshop.ts";
import { createWorkerWorkshop } from "./workshop_worker.ts";

export interface ProcessOptions extends FarWorkshopOptions {
  /** The process's program. */
  readonly module?: URL;
  /** What Deno is told besides, such as `--config=FILE`. */
  readonly flags?: readonly string[];
}

const CHILD = new URL("./workshop_child.ts", import.meta.url);
/** All that it may do; Dawn is a native library. */
const PERMISSIONS = ["--allow-read", "--allow-env"];
const DAWN = ["--allow-ffi", "--allow-sys"];

/**
 * A workshop in the place that holds up training least: in a process of its own on a GPU, where that may be started, else on
 * a thread of this process, else, where that cannot open the adapter, `instead`. `onInstead` is told of a place that should
 * do and does not: where it is done then, and why. On a software adapter a thread does as well: there training and compiling
 * share the processor anyway.
 */
export function openFarWorkshop({ onInstead = () => {}, ...options }: FarWorkshopOptions): Workshop {
  const onThread = () =>
    createWorkerWorkshop({
      ...options,
      onInstead: (reason) => onInstead(`on the thread that trains: ${reason}`),
    });
  if (options.adapter.software || !mayStart()) return onThread();
  return createProcessWorkshop({
    ...options,
    instead: onThread,
    onInstead: (reason) => onInstead(`on a thread of this process: ${reason}`),
  });
}

/** Whether this program may run Deno, and is run by it from files. */
function mayStart(): boolean {
  if (Deno.build.standalone || CHILD.protocol !== "file:") return false;
  try {
    const command = Deno.execPath();
    return Deno.permissions.querySync({ name: "run", command }).state === "granted";
  } catch {
    return false;
  }
}

/** A workshop in a process of its own: it shares no lock of a driver's, no memory and no event loop with this one. */
export function createProcessWorkshop({ module = CHILD, flags = [], ...options }: ProcessOptions): Workshop {
  const dawn = options.adapter.backend === "dawn" ? DAWN : [];
  const args = [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-check",
    "--cached-only",
    ...PERMISSIONS,
    ...dawn,
    ...flags,
  ];
  return createFarWorkshop(options, (listener) => startProcess([...args, module.href], listener));
}

function startProcess(args: string[], { reply, crashed }: Listener): Line {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  const encoder = new TextEncoder();
  let open = true;
  let last = "it told nothing";

  async function listen(): Promise<void> {
    for await (const line of lines(child.stdout)) {
      // Drivers may write there, too.
      if (open && line.startsWith("{")) reply(JSON.parse(line));
    }
  }

  async function overhear(): Promise<void> {
    for await (const line of lines(child.stderr)) if (line.trim() !== "") last = line;
  }

  const ended = Promise.all([listen(), overhear(), child.status]).then(async ([, , { code }]) => {
    if (open) crashed(`exit code ${code}: ${last}`);
    await input.close().catch(() => {});
  });
  return {
    place: "process",
    // What cannot be written any more has no reader: that is told as its end.
    send: (request) => void input.write(encoder.encode(JSON.stringify(request) + "\n")).catch(() => {}),
    async cut() {
      if (open) {
        open = false;
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended already.
        }
      }
      await ended;
    },
  };
}

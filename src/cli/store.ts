/** `store`: what a run's store holds, whether it is whole, and what may go. */
import type { Copied, StoreFolder } from "../app/adapters/store_folder.ts";
import { formatBytes } from "../report/format.ts";
import { renderTable } from "../report/table.ts";
import { EXIT_FAILURE, usageError } from "../util/errors.ts";
import { chosenAction } from "./actions.ts";
import type { Command, Values } from "./command.ts";
import { print } from "./output.ts";

/** What an action has to say, for people and for programs, and the exit code. */
interface Outcome {
  readonly lines: readonly string[];
  readonly json: unknown;
  readonly code: number;
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

async function list(store: StoreFolder): Promise<Outcome> {
  const contents = await store.list();
  const { manifests, records, blobs, unmentioned } = contents;
  const faults = [...manifests, ...records].flatMap(({ fault }) => fault === undefined ? [] : [fault]);
  return {
    json: contents,
    code: 0,
    lines: [
      ...renderTable(
        ["manifest", "name", "blobs", "size"],
        manifests.map((m) => [m.kind, m.name, `${m.blobs}`, formatBytes(m.blobBytes)]),
      ),
      "",
      ...renderTable(
        ["record", "hash", "state", "of"],
        records.map(({ kind, hash, state, label }) => [kind, hash.slice(0, 12), state, label ?? ""]),
      ),
      "",
      `${counted(blobs.count, "blob")}, ${formatBytes(blobs.sizeBytes)}; nothing mentions ` +
      `${unmentioned.count} of them, ${formatBytes(unmentioned.sizeBytes)}`,
      ...faults,
    ],
  };
}

async function verify(store: StoreFolder, values: Values): Promise<Outcome> {
  const verified = await store.verify(values.repair === true);
  const { blobs, manifests, records, sizeBytes, faults } = verified;
  const read =
    `${counted(blobs, "blob")}, ${counted(manifests, "manifest")} and ${counted(records, "record")}` +
    ` read, ${formatBytes(sizeBytes)}`;
  return {
    json: verified,
    code: faults.every(({ aside }) => aside) ? 0 : EXIT_FAILURE,
    lines: [
      ...faults.map(({ path, reason, aside }) => `${path}: ${reason}${aside ? " → moved to damaged/" : ""}`),
      `${store.path}: ${read}: ${faults.length === 0 ? "all whole" : counted(faults.length, "fault")}`,
    ],
  };
}

async function collect(store: StoreFolder, values: Values): Promise<Outcome> {
  const dryRun = values["dry-run"] === true;
  const collected = await store.collect(dryRun);
  const { blobs, temporaries, sizeBytes } = collected;
  return {
    json: { ...collected, dryRun },
    code: 0,
    lines: [
      `${store.path}: ${dryRun ? "would remove" : "removed"} ${counted(blobs, "blob")}, ` +
      `${formatBytes(sizeBytes)}${
        temporaries > 0 ? `, and ${counted(temporaries, "file")} that killed writers left` : ""
      }`,
    ],
  };
}

const ACTIONS: Readonly<
  Record<string, { run: (store: StoreFolder, values: Values) => Promise<Outcome>; takes: readonly string[] }>
> = {
  ls: { run: list, takes: [] },
  verify: { run: verify, takes: ["repair"] },
  gc: { run: collect, takes: ["dry-run"] },
};

/** What is copied, in a line. */
function copiedLine({ blobs, manifests, records, sizeBytes }: Copied): string {
  return `${counted(blobs, "blob")}, ${counted(manifests, "manifest")} and ${counted(records, "record")}, ` +
    `${formatBytes(sizeBytes)}, there and compared`;
}

/** Actions that need two places, or a folder to make. */
const MOVES: Readonly<Record<string, { want: string; run(from: string, to: string): Promise<Outcome> }>> = {
  copy: {
    want: "a store and another, such as runs/cifar10-1 backup",
    async run(from, to) {
      const { copyStoreTo } = await import("../app/adapters/store_folder.ts");
      const copied = await copyStoreTo(from, to);
      return { json: copied, code: 0, lines: [copiedLine(copied)] };
    },
  },
  migrate: {
    want: "a run folder and postgres://user@host/database?blobs=s3://bucket/prefix",
    async run(from, to) {
      const { migrateRun } = await import("../app/adapters/store_folder.ts");
      const copied = await migrateRun(from, to);
      const rest = `${from.replace(/\/+$/, "")} keeps its checkpoints there from now on; its store/ may go`;
      return { json: copied, code: 0, lines: [copiedLine(copied), rest] };
    },
  },
  checkout: {
    want: "postgres://user@host/database?blobs=s3://bucket/prefix&run=NAME and a folder such as runs",
    async run(from, to) {
      const { checkOut } = await import("../app/adapters/store_folder.ts");
      const directory = await checkOut(from, to);
      return {
        json: { directory },
        code: 0,
        lines: [`${directory}: go on with main.ts resume ${directory}`],
      };
    },
  },
};

function show({ lines, json, code }: Outcome, values: Values): number {
  print(values.json === true ? `${JSON.stringify(json)}\n` : lines.map((line) => `${line}\n`).join(""));
  return code;
}

async function run(values: Values, [name, path, other]: readonly string[]): Promise<number> {
  const action = chosenAction("store", { ...ACTIONS, ...MOVES }, name);
  for (const option of ["repair", "dry-run"]) {
    if (values[option] === undefined || ACTIONS[name]?.takes.includes(option)) continue;
    const owner = Object.keys(ACTIONS).find((other) => ACTIONS[other].takes.includes(option));
    throw usageError(`--${option}: belongs to store ${owner}, not to store ${name}`);
  }
  if ("want" in action) {
    if (path === undefined || other === undefined) {
      throw usageError(`store ${name}: want ${action.want}, got ${path === undefined ? "none" : "only one"}`);
    }
    return show(await action.run(path, other), values);
  }
  if (path === undefined) {
    throw usageError(`store ${name}: want a run folder such as runs/cifar10-1, got none`);
  }
  if (other !== undefined) throw usageError(`store ${name}: want one store, got also "${other}"`);
  const { openStoreFolder } = await import("../app/adapters/store_folder.ts");
  const store = await openStoreFolder(path);
  try {
    return show(await action.run(store, values), values);
  } finally {
    await store.close();
  }
}

export const storeCommand: Command = {
  name: "store",
  summary:
    "what a run's store holds (ls), whether every byte is as it was written (verify), what may go (gc); copy it, " +
    "migrate a run to a shared store, or check one out of it",
  positionals: ["ls|verify|gc|copy|migrate|checkout", "STORE", "[TO]"],
  options: [
    {
      name: "repair",
      summary:
        "verify: move what is damaged, and checkpoints that need it, to damaged/, and make the index anew",
    },
    { name: "dry-run", summary: "gc: say what would go, and remove nothing" },
    { name: "json", summary: "print one line of JSON" },
  ],
  examples: [
    "store ls runs/cifar10-1",
    "store verify runs/cifar10-1 --repair",
    "store gc runs/cifar10-1 --dry-run",
    "store copy runs/cifar10-1 backup",
  ],
  run,
};

/** `store`: what a run's store holds, whether it is whole, and what may go. */
import type { StoreFolder } from "../app/adapters/store_folder.ts";
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

async function run(values: Values, [name, path]: readonly string[]): Promise<number> {
  const action = chosenAction("store", ACTIONS, name);
  if (path === undefined) {
    throw usageError(`store ${name}: want a run folder such as runs/cifar10-1, got none`);
  }
  for (const option of ["repair", "dry-run"]) {
    if (values[option] === undefined || action.takes.includes(option)) continue;
    const owner = Object.keys(ACTIONS).find((other) => ACTIONS[other].takes.includes(option));
    throw usageError(`--${option}: belongs to store ${owner}, not to store ${name}`);
  }
  const { openStoreFolder } = await import("../app/adapters/store_folder.ts");
  const { lines, json, code } = await action.run(openStoreFolder(path), values);
  print(values.json === true ? `${JSON.stringify(json)}\n` : lines.map((line) => `${line}\n`).join(""));
  return code;
}

export const storeCommand: Command = {
  name: "store",
  summary:
    "what a run's store holds (ls), whether every byte is as it was written (verify), what may go (gc)",
  positionals: ["ls|verify|gc", "RUN"],
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
  ],
  run,
};

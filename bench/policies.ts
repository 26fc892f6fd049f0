// Which controller grows best? Plays episodes, each a whole training run, with several controllers on tasks and seeds that no
// policy was trained on, and makes tables of what was played: interquartile means with bootstrap intervals, probability of
// improvement, and regret against all plans on the smallest task.
//
//   deno run -A bench/policies.ts --play out.jsonl [--tasks configs/policies/held_out.json] [--task NAME,…] [--seeds 20]
//     [--first 1000] [--arms off,random,fixed,heuristic] [--policy NAME[=FILE]]… [--search] [--threads 2]
//     [--minutes M] [--set KEY=VALUE]… [--backend auto]
//   deno run -A bench/policies.ts --table out.jsonl [--table more.jsonl] [--reference heuristic]
//
// What the file has already is not played again, so a play that was stopped goes on. Seeds are taken one after the other, each
// on all tasks: whenever it stops, what was played is whole but for the last few.
import { parseArgs } from "node:util";
import { inLanes } from "../src/util/lanes.ts";
import { plansOf, readTasks } from "./support/policy_arms.ts";
import { armTable, comparable, type Episode, PLAN, regretTable } from "./support/policy_table.ts";
import type { Answer, Order, Piece, Setting } from "./support/policy_thread.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    play: { type: "string" },
    table: { type: "string", multiple: true },
    tasks: { type: "string", default: "configs/policies/held_out.json" },
    task: { type: "string" },
    seeds: { type: "string", default: "20" },
    first: { type: "string", default: "1000" },
    arms: { type: "string", default: "off,random,fixed,heuristic" },
    policy: { type: "string", multiple: true, default: [] },
    search: { type: "boolean", default: false },
    threads: { type: "string", default: "2" },
    minutes: { type: "string", default: "Infinity" },
    set: { type: "string", multiple: true, default: [] },
    backend: { type: "string", default: "auto" },
    reference: { type: "string", default: "heuristic" },
  },
});

/** Plans that a thread tries one after the other, for one run of their twin. */
const PLANS_AT_ONCE = 10;

const linesOf = (path: string): Episode[] =>
  Deno.readTextFileSync(path).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));

function alreadyIn(path: string): Episode[] {
  try {
    return linesOf(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** All that is to be played and is not in the file. */
function piecesFor(path: string): Piece[] {
  const names = [...values.arms.split(","), ...values.policy.map((text) => text.split("=")[0])];
  const played = new Set(alreadyIn(path).map(({ task, seed, arm }) => `${task} ${seed} ${arm}`));
  const tasks = readTasks(values.tasks, values.task?.split(","), values.set);
  const seeds = Array.from({ length: Number(values.seeds) }, (_, k) => Number(values.first) + k);
  return seeds.flatMap((seed) =>
    tasks.flatMap((task): Piece[] => {
      const missing = (arms: readonly string[]) =>
        arms.filter((arm) => arm !== "" && !played.has(`${task.name} ${seed} ${arm}`));
      const plans = values.search ? missing(Object.keys(plansOf(task))) : [];
      const chunks = Array.from(
        { length: Math.ceil(plans.length / PLANS_AT_ONCE) },
        (_, k) => plans.slice(k * PLANS_AT_ONCE, (k + 1) * PLANS_AT_ONCE),
      );
      return [missing(names), ...chunks].filter((arms) => arms.length > 0)
        .map((arms) => ({ task: task.name, seed, arms }));
    })
  );
}

async function play(path: string): Promise<void> {
  const pieces = piecesFor(path), end = performance.now() + 60_000 * Number(values.minutes);
  const setting: Setting = {
    ...{ backend: values.backend, tasks: values.tasks, sets: values.set },
    ...{ arms: values.arms, policies: values.policy },
  };
  const threads = Math.min(Number(values.threads), pieces.length);
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./support/policy_thread.ts", import.meta.url), { type: "module" }),
  );
  /** Sends an order and keeps what comes back, until the thread is done with it or time is up. */
  function ask(worker: Worker, order: Order): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(resolve, Math.min(end - performance.now(), 2 ** 31 - 1));
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data === null) resolve();
      else Deno.writeTextFileSync(path, JSON.stringify(data) + "\n", { append: true });
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`policies: a thread that plays has failed: ${event.message}`));
    };
    worker.postMessage(order);
    return promise.finally(() => clearTimeout(late));
  }
  const queue = [...pieces];
  try {
    await inLanes(workers, threads, async (worker) => {
      await ask(worker, { setting });
      while (performance.now() < end) {
        const piece = queue.shift();
        if (!piece) return;
        await ask(worker, { piece });
      }
    });
  } finally {
    workers.forEach((worker) => worker.terminate());
  }
}

if (values.play !== undefined) await play(values.play);
if (values.table) {
  const episodes = values.table.flatMap(linesOf);
  const played = episodes.filter(({ arm }) => !arm.startsWith(PLAN)), whole = comparable(played);
  const left = played.length - whole.length;
  if (left > 0) console.log(`${left} episodes left out, whose task and seed not every arm has played\n`);
  const tables = [armTable(whole, values.reference), regretTable(episodes)];
  console.log(tables.filter((table) => table.length > 0).map((table) => table.join("\n")).join("\n\n"));
}

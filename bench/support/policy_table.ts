/** What evaluations of policies are told as: a table of arms, and regret against a search of all plans. */
import {
  bootstrap,
  interquartileMean,
  type Interval,
  probabilityOfImprovement,
  type Strata,
} from "../../src/util/scores.ts";

/** One episode of one arm. Scores in nats: final loss advantage over the twin, less rent. */
export interface Episode {
  readonly arm: string;
  readonly task: string;
  readonly seed: number;
  readonly score: number;
  readonly loss: number;
  readonly twinLoss: number;
  readonly params: number;
  readonly decisions: number;
  readonly germinations: number;
  readonly rollbacks: number;
  /** Blueprints by slot. */
  readonly fossils?: Readonly<Record<string, string>>;
  readonly broken: boolean;
}

/** Arms of a search are named by their plans. */
export const PLAN = "plan ";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(3)}`;
const told = ({ value, low, high }: Interval) => `${signed(value)} (${signed(low)} to ${signed(high)})`;

/** Scores of an arm by task, in the order of seeds; every arm must have run on the same. */
function strataOf(episodes: readonly Episode[], arm: string, tasks: readonly string[]): Strata {
  return tasks.map((task) =>
    episodes.filter((one) => one.arm === arm && one.task === task).sort((a, b) => a.seed - b.seed)
      .map(({ score }) => score)
  );
}

/** Without the tasks and seeds that not all arms have played. */
export function comparable(all: readonly Episode[]): Episode[] {
  const arms = new Set(all.map(({ arm }) => arm)).size;
  const played = Map.groupBy(all, ({ task, seed }) => `${task} ${seed}`);
  return all.filter(({ task, seed }) =>
    new Set(played.get(`${task} ${seed}`)!.map(({ arm }) => arm)).size === arms
  );
}

/**
 * Lines of Markdown: each arm's interquartile mean over all tasks and seeds, its difference to `reference` and the chance to
 * score above it, means by task, and what its episodes were like.
 *
 * @throws {Error} if the arms did not run on the same tasks and seeds.
 */
export function armTable(all: readonly Episode[], reference: string): string[] {
  const episodes = all.filter(({ arm }) => !arm.startsWith(PLAN));
  const arms = [...new Set(episodes.map(({ arm }) => arm))];
  const tasks = [...new Set(episodes.map(({ task }) => task))].sort();
  const sizes = (arm: string) => strataOf(episodes, arm, tasks).map((scores) => scores.length).join();
  for (const arm of arms) {
    if (sizes(arm) !== sizes(arms[0])) {
      throw new Error(
        `policies: want ${sizes(arms[0])} episodes of ${arm}, got ${sizes(arm)}; run what is missing`,
      );
    }
  }
  const strata = new Map(arms.map((arm) => [arm, strataOf(episodes, arm, tasks)]));
  const iqm = (scores: Strata) => interquartileMean(scores.flat());
  const rows = arms.map((arm) => {
    const own = strata.get(arm)!, other = strata.get(reference);
    const versus = arm === reference || !other ? ["", ""] : [
      told(bootstrap([own, other], ([a, b]) => iqm(a) - iqm(b))),
      probability(bootstrap([own, other], ([a, b]) => probabilityOfImprovement(a, b))),
    ];
    const ran = episodes.filter((one) => one.arm === arm);
    return [
      arm,
      told(bootstrap([own], ([scores]) => iqm(scores))),
      ...versus,
      ...own.map((scores) => signed(mean(scores))),
      mean(ran.map(({ germinations }) => germinations)).toFixed(1),
      mean(ran.map(({ rollbacks }) => rollbacks)).toFixed(1),
      `${ran.filter(({ broken }) => broken).length}`,
    ];
  });
  const head = [
    "arm",
    "IQM (95 % interval)",
    `less ${reference}`,
    `P(above ${reference})`,
    ...tasks.map((t) => `mean, ${t}`),
    "sown",
    "rollbacks",
    "broken",
  ];
  return markdown(head, rows);
}

function probability({ value, low, high }: Interval): string {
  return `${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** Lines of Markdown: how far each arm stays behind the best of all plans that were searched, on the seeds of the search. */
export function regretTable(all: readonly Episode[]): string[] {
  const searched = all.filter(({ arm }) => arm.startsWith(PLAN));
  if (searched.length === 0) return [];
  const [{ task }] = searched, seeds = new Set(searched.map(({ seed }) => seed));
  const here = all.filter((one) => one.task === task && seeds.has(one.seed));
  const arms = [...new Set(here.map(({ arm }) => arm))];
  const scores = new Map(arms.map((arm) => [arm, strataOf(here, arm, [task])]));
  const plans = arms.filter((arm) => arm.startsWith(PLAN));
  const best = plans.reduce((a, b) => mean(scores.get(b)!.flat()) > mean(scores.get(a)!.flat()) ? b : a);
  const rows = arms.filter((arm) => !arm.startsWith(PLAN) || arm === best).map((arm) => [
    arm,
    signed(mean(scores.get(arm)!.flat())),
    told(bootstrap([scores.get(best)!, scores.get(arm)!], ([a, b]) => mean(a.flat()) - mean(b.flat()))),
  ]);
  return [
    `${plans.length} plans, ${seeds.size} seeds of ${task}:`,
    "",
    ...markdown(["arm", "mean score", "regret (95 % interval)"], rows),
  ];
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

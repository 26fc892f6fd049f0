/** A run's folder, as its report shows it. */
import type { RunView } from "../app/adapters/run_view.ts";
import { inspectNetwork, type RunNetwork } from "../app/inspect.ts";
import { canonicalJson } from "../util/json.ts";
import type { RunPicture, RunRecord } from "./run_page.ts";
import { newStory, type Story, tell } from "./story.ts";

/** What the events of a run tell. */
export function storyOf({ events }: Pick<RunView, "events">): Story {
  const story = newStory();
  for (const event of events) tell(story, event);
  return story;
}

/** All that a run and its static baseline share, as one text. */
function withoutGrowth(config: unknown): string {
  const { controller: _, growth: __, ...rest } = config as Record<string, unknown>;
  return canonicalJson(rest);
}

/** Whether `other` is the run that `run` would have been without growth: same configuration and data, controller off. */
export function isBaseline(other: RunView, run: RunView): boolean {
  const off = (config: unknown) => (config as { controller?: { kind?: string } }).controller?.kind === "off";
  const data = ({ record }: RunView) => (record as RunRecord).dataset?.sha256;
  return off(other.config) && !off(run.config) && data(other) === data(run) &&
    withoutGrowth(other.config) === withoutGrowth(run.config);
}

/**
 * What a report of a run is made of. A network that cannot be built is left out, and `onFault` told why: a report of a
 * broken run is better than none.
 */
export async function pictureOf(
  view: RunView,
  baseline: RunView | null,
  onFault: (reason: string) => void,
): Promise<RunPicture> {
  let network: RunNetwork | null = null;
  try {
    network = await inspectNetwork(view);
  } catch (error) {
    onFault(`no picture of the network: ${(error as Error).message}`);
  }
  return {
    name: view.name,
    config: view.config,
    record: view.record as RunRecord,
    story: storyOf(view),
    baseline: baseline && { name: baseline.name, story: storyOf(baseline) },
    network,
    kernels: view.kernels,
  };
}

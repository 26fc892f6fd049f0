/** What a run has told so far, as charts and tables want it; kept up to date from its events. */
import type { AnyEnvelope, Payloads } from "../contracts/events.ts";
import type { Edge } from "../contracts/lifecycle.ts";

type Timed<T> = T & { readonly time: number };

export interface Story {
  started: Timed<Payloads["run.started"]> | null;
  finished: Timed<Payloads["run.finished"]> | null;
  metrics: Timed<Payloads["step.metrics"]>[];
  ticks: Timed<Payloads["tick.report"]>[];
  edges: Timed<Edge>[];
  vetoes: Timed<Payloads["action.vetoed"]>[];
  rollbacks: Timed<Payloads["governor.rollback"]>[];
  people: Timed<Payloads["person.decided"]>[];
  checkpoints: Timed<Payloads["checkpoint.saved"]>[];
  notices: string[];
}

export function newStory(): Story {
  return {
    started: null,
    finished: null,
    metrics: [],
    ticks: [],
    edges: [],
    vetoes: [],
    rollbacks: [],
    people: [],
    checkpoints: [],
    notices: [],
  };
}

/** What a run that goes on from a checkpoint tells again. */
function forgetAfter(story: Story, step: number): void {
  const upTo = <T extends { readonly step: number }>(list: T[]) => list.filter((one) => one.step <= step);
  story.metrics = upTo(story.metrics);
  story.ticks = upTo(story.ticks);
  story.edges = upTo(story.edges);
  story.vetoes = upTo(story.vetoes);
  story.rollbacks = upTo(story.rollbacks);
  story.people = upTo(story.people);
  story.checkpoints = upTo(story.checkpoints);
}

const takers: { [T in AnyEnvelope["topic"]]: (story: Story, payload: Timed<Payloads[T]>) => void } = {
  "run.started"(story, payload) {
    if (story.started) forgetAfter(story, payload.resumedAt);
    story.started = payload;
    story.finished = null;
  },
  "run.finished": (story, payload) => void (story.finished = payload),
  "step.metrics": (story, payload) => void story.metrics.push(payload),
  "tick.report": (story, payload) => void story.ticks.push(payload),
  "seed.edge": (story, payload) => void story.edges.push(payload),
  "action.vetoed": (story, payload) => void story.vetoes.push(payload),
  "governor.rollback": (story, payload) => void story.rollbacks.push(payload),
  "person.decided": (story, payload) => void story.people.push(payload),
  "checkpoint.saved": (story, payload) => void story.checkpoints.push(payload),
  "notice"(story, { text }) {
    if (!story.notices.includes(text)) story.notices.push(text);
  },
};

/** Takes one event in. */
export function tell(story: Story, { topic, payload, time }: AnyEnvelope): void {
  (takers[topic] as (story: Story, payload: unknown) => void)(story, { ...payload, time });
}

/** A stretch of a seed's life in one stage; `until` is the step at which the next began, null for the last. */
export interface Spell {
  readonly entered: Timed<Edge>;
  readonly until: number | null;
}

/** A seed from its germination on. */
export interface Life {
  readonly seed: string;
  readonly slot: string;
  readonly blueprint: string;
  readonly spells: readonly Spell[];
}

/** Lives of all seeds, oldest first; what follows a prune is the slot's rest, not the seed's life. */
export function livesOf({ edges }: Pick<Story, "edges">): Life[] {
  const lives = new Map<string, { life: Omit<Life, "spells">; taken: Timed<Edge>[] }>();
  for (const edge of edges) {
    const { seed, slot, blueprint, to } = edge;
    if (to === "GERMINATED" && blueprint !== null) {
      lives.set(seed, { life: { seed, slot, blueprint }, taken: [] });
    }
    const known = lives.get(seed);
    if (known && known.taken.at(-1)?.to !== "PRUNED") known.taken.push(edge);
  }
  return [...lives.values()].map(({ life, taken }) => ({
    ...life,
    spells: taken.map((entered, k) => ({ entered, until: taken[k + 1]?.step ?? null })),
  }));
}

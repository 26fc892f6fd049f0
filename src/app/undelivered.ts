import type { DeadLetter } from "../oona/mod.ts";

/** What subscribers could not process, a line for each subscriber and error; the run went on without it. */
export function undelivered(letters: readonly DeadLetter[]): string[] {
  const groups = new Map<string, { letter: DeadLetter; count: number }>();
  for (const letter of letters) {
    const key = JSON.stringify([letter.subscription, letter.envelope.topic, letter.error]);
    groups.set(key, { letter, count: 1 + (groups.get(key)?.count ?? 0) });
  }
  return [...groups.values()].map(({ letter: { subscription, envelope, error }, count }) =>
    `${subscription} could not process ${count} of the run's ${envelope.topic} messages: ${error}`
  );
}

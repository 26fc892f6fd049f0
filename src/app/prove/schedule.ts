/**
 * Does jobs with at most `lanes` at a time, each once all that it needs is done; of those that may begin, the first in the
 * list. Where one fails, no more are begun, and its error is thrown once those that run have ended.
 *
 * @param needs Must be acyclic and within `jobs`.
 */
export async function inOrder<J>(
  jobs: readonly J[],
  lanes: number,
  needs: (job: J) => readonly J[],
  work: (job: J, lane: number) => Promise<void>,
): Promise<void> {
  const waiting = [...jobs], done = new Set<J>(), failures: unknown[] = [];
  let news = Promise.withResolvers<void>();

  async function lane(number: number): Promise<void> {
    while (waiting.length > 0 && failures.length === 0) {
      const next = waiting.findIndex((job) => needs(job).every((need) => done.has(need)));
      if (next < 0) {
        await news.promise;
        continue;
      }
      const [job] = waiting.splice(next, 1);
      try {
        await work(job, number);
        done.add(job);
      } catch (error) {
        failures.push(error);
      }
      news.resolve();
      news = Promise.withResolvers();
    }
  }

  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  if (failures.length > 0) throw failures[0];
}

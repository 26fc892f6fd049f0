/**
 * Does work with at most `lanes` pieces of it at one time; the results are in the order of the pieces. Where one fails, no more
 * are begun, and its error is thrown once those that run have ended.
 */
export async function inLanes<T, R>(
  pieces: readonly T[],
  lanes: number,
  work: (piece: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(pieces.length);
  let next = 0;
  const failures: unknown[] = [];
  async function lane(): Promise<void> {
    while (next < pieces.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await work(pieces[index], index);
      } catch (error) {
        failures.push(error);
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}

import { hostname } from "node:os";
import type { OonaConfig, UrzaConfig } from "../../contracts/config.ts";
import type { Bus } from "../../oona/mod.ts";

/**
 * What a run's messages travel by; null for a bus within the process. On a server a run's channel has the name of its
 * folder, and belongs to that folder on this machine, or, where the run lies in a store that machines share, to the run
 * there, whatever folder it goes on in.
 *
 * @throws {UserError} where the server is absent or refuses, or the name is another run's
 */
export async function openBus(
  { oona, urza }: { oona?: OonaConfig | undefined; urza?: UrzaConfig | undefined },
  folder: string | null,
): Promise<Bus | null> {
  if (oona?.kind !== "redis" || folder === null) return null;
  const { openRedisBus } = await import("../../oona/adapters/redis_bus.ts");
  const { redisSecrets } = await import("../../oona/adapters/redis_connection.ts");
  const path = Deno.realPathSync(folder);
  const run = path.slice(path.lastIndexOf("/") + 1);
  return await openRedisBus({
    url: oona.url,
    channel: run,
    owner: urza?.kind === "postgres" ? `${urza.blobs}#${run}` : `${hostname()}:${path}`,
    secrets: redisSecrets(),
  });
}

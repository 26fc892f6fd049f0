import type { UrzaConfig } from "../../src/contracts/config.ts";
import { absent, type PostgresServer, type Server, startPostgres, startS3 } from "./servers.ts";

type PostgresConfig = Extract<UrzaConfig, { kind: "postgres" }>;

/** What a store in a database stands on. */
export interface StoreServers {
  readonly postgres: PostgresServer;
  readonly s3: Server;
  /** A store that nobody has used. */
  empty(blobs: "s3" | "file"): Promise<PostgresConfig>;
}

/** Starts them before the file's first test and ends them after its last; `ignore` where PostgreSQL is missing. */
export function storeServers(): StoreServers & { readonly ignore: boolean } {
  const ignore = absent("postgres"), folders: string[] = [];
  let postgres: PostgresServer, s3: Server;
  Deno.test.beforeAll(async () => {
    if (ignore) return;
    [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
    Deno.env.set("AWS_ACCESS_KEY_ID", "S3RVER");
    Deno.env.set("AWS_SECRET_ACCESS_KEY", "S3RVER");
  });
  Deno.test.afterAll(async () => {
    await Promise.all([postgres?.stop(), s3?.stop()]);
    for (const folder of folders) await Deno.remove(folder, { recursive: true });
  });
  return {
    ignore,
    get postgres() {
      return postgres;
    },
    get s3() {
      return s3;
    },
    async empty(blobs) {
      const url = await postgres.database();
      if (blobs === "s3") return { kind: "postgres", url, blobs: `s3://esper/${crypto.randomUUID()}` };
      folders.push(await Deno.makeTempDir());
      return { kind: "postgres", url, blobs: `file:${folders.at(-1)}` };
    },
  };
}

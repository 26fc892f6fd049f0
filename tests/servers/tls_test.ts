/** Whom a run talks to over TLS: a server whose certificate holds, and no other. */
import { assertRejects } from "@std/assert";
import { openPgBossQueue } from "../../src/fleet/adapters/pg_boss_queue.ts";
import { connectRedis } from "../../src/oona/adapters/redis_connection.ts";
import { openStore } from "../../src/urza/adapters/open_store.ts";
import { UserError } from "../../src/util/errors.ts";
import { makeCertificates } from "../support/certificates.ts";
import { absent, startPostgres, startRedis } from "../support/servers.ts";

Deno.test({
  name: "Redis over TLS: an expired certificate and one of another authority are refused, and said to be",
  ignore: absent("redis-server"),
  async fn() {
    await using made = await makeCertificates();
    const { ca, other } = made;
    const connect = (url: string, authority: string) =>
      connectRedis(url, { ca: Deno.readTextFileSync(authority) });
    {
      await using server = await startRedis({ tls: { ...made.good, ca } });
      const { redis, close } = await connect(server.url, ca);
      await redis.ping();
      await close();
      await assertRejects(
        () => connect(server.url, other),
        UserError,
        /self-signed certificate in certificate chain; renew the server's certificate, or set REDIS_CA/,
      );
    }
    await using server = await startRedis({ tls: { ...made.expired, ca } });
    await assertRejects(
      () => connect(server.url, ca),
      UserError,
      "certificate has expired; renew the server's certificate",
    );
  },
});

Deno.test({
  name:
    "PostgreSQL over TLS: an expired certificate and one of another authority are refused, and said to be",
  ignore: absent("postgres"),
  async fn() {
    await using made = await makeCertificates();
    const { ca, other } = made, blobs = await Deno.makeTempDir();
    const urlWith = (url: string, authority: string) => `${url}?sslmode=verify-full&sslrootcert=${authority}`;
    const open = (url: string) => openStore({ kind: "postgres", url, blobs: `file:${blobs}` }, "");
    const settings = ({ cert, key }: typeof made.good) => [
      "ssl=on",
      `ssl_cert_file=${cert}`,
      `ssl_key_file=${key}`,
    ];
    {
      await using server = await startPostgres(settings(made.good));
      const url = await server.database();
      const { close } = await open(urlWith(url, ca));
      await close();
      const queue = await openPgBossQueue(urlWith(url, ca));
      await queue.close();
      await assertRejects(
        () => open(urlWith(url, other)),
        UserError,
        "got a certificate of an unknown authority (UNABLE_TO_VERIFY_LEAF_SIGNATURE); name its authority",
      );
      await assertRejects(
        () => openPgBossQueue(urlWith(url, other)),
        UserError,
        "unable to verify the first certificate; name its authority by sslrootcert",
      );
    }
    await using server = await startPostgres(settings(made.expired));
    const url = urlWith(await server.database(), ca);
    await assertRejects(
      () => open(url),
      UserError,
      "got an expired certificate (CERT_HAS_EXPIRED); renew the server's certificate",
    );
    await assertRejects(
      () => openPgBossQueue(url),
      UserError,
      "certificate has expired; renew the server's certificate",
    );
    await Deno.remove(blobs, { recursive: true });
  },
});

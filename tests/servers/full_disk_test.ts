/** A shared store whose blobs fill their disk. */
import { assertEquals, assertRejects } from "@std/assert";
import { openStore } from "../../src/urza/adapters/open_store.ts";
import { UserError } from "../../src/util/errors.ts";
import { absent, startPostgres } from "../support/servers.ts";
import { smallDisk } from "../support/small_disk.ts";

Deno.test({
  name: "a shared store whose disk is full says so, keeps what it has taken, and goes on with room",
  ignore: absent("postgres"),
  async fn() {
    const root = await Deno.makeTempDir(), disk = `${root}/disk`;
    const unmount = await smallDisk(disk, 256);
    if (!unmount) return;
    try {
      await using server = await startPostgres();
      const config = { kind: "postgres", url: await server.database(), blobs: `file:${disk}` } as const;
      const { store, close } = await openStore(config, "");
      const [first, large] = [30_000, 300_000].map((size) => new Uint8Array(size).fill(7));
      const hash = await store.put(first);
      await assertRejects(() => store.put(large), UserError, "got a full disk (ENOSPC); free some space");
      assertEquals(await store.get(hash), first);
      const other = crypto.getRandomValues(new Uint8Array(30_000));
      assertEquals(await store.get(await store.put(other)), other);
      await close();
    } finally {
      await unmount();
      await Deno.remove(root, { recursive: true });
    }
  },
});

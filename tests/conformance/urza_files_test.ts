import { fileMedium } from "../../src/urza/adapters/files.ts";
import { sqliteIndex } from "../../src/urza/adapters/sqlite_index.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("createFileStore()", async (body) => {
  const root = await Deno.makeTempDir();
  try {
    await body(fileMedium(root), sqliteIndex(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

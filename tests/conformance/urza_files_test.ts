import { fileMedium } from "../../src/urza/adapters/files.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("createFileStore()", async (body) => {
  const root = await Deno.makeTempDir();
  try {
    await body(fileMedium(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

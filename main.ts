/** Esper: a network that grows while it trains. `deno run -A main.ts --help` says how to use it. */
import { main } from "./src/cli/mod.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

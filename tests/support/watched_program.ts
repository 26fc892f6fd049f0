/** The program with a watch on what it syncs: the folder of records, then its own arguments. */
import { main } from "../../src/cli/mod.ts";
import { watchDisk } from "./power_cut.ts";

const [records, ...args] = Deno.args;
watchDisk(records);
Deno.exit(await main(args));

import { createMemoryBus } from "../../src/oona/mod.ts";
import { busSuite } from "./bus_suite.ts";

busSuite("createMemoryBus()", createMemoryBus);

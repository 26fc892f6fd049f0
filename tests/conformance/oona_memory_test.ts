import { createMemoryBus } from "../../src/oona/memory.ts";
import { busSuite } from "./bus_suite.ts";

busSuite("createMemoryBus()", createMemoryBus);

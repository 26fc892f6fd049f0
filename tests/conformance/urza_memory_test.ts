import { memoryMedium } from "../../src/urza/memory.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("createMemoryStore()", (body) => body(memoryMedium()));

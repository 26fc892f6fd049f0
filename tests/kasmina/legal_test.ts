import { assertEquals } from "@std/assert";
import { legalActions } from "../../src/kasmina/legal.ts";
import { context, slots } from "./slots.ts";

Deno.test("legalActions() lists exactly what check() allows, WAIT first", () => {
  const kasmina = slots();
  const names = () =>
    legalActions(kasmina, ["conv3", "big", "odd"], context).map((action) =>
      [action.kind, ...(action.kind === "wait" ? [] : [action.slot])].join(" ")
    );
  assertEquals(names(), ["wait", "germinate a", "germinate b", "germinate c"]);
  kasmina.apply({ kind: "germinate", slot: "b", blueprint: "conv3" }, context);
  assertEquals(names(), ["wait", "germinate a", "germinate c"]);
  assertEquals(legalActions(kasmina, ["conv3"], { ...context, ticksLeft: 1 }), [{ kind: "wait" }]);
});

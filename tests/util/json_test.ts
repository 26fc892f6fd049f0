import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { canonicalJson, finiteOrText } from "../../src/util/json.ts";

Deno.test("canonicalJson() sorts keys at every depth and leaves no white space", () => {
  assertEquals(canonicalJson({ b: [{ d: 1, c: "x" }], a: null }), '{"a":null,"b":[{"c":"x","d":1}]}');
  assertEquals(canonicalJson({ "é": 1, z: 2, Z: 3, "10": 4, "9": 5 }), '{"10":4,"9":5,"Z":3,"z":2,"é":1}');
  assertEquals(canonicalJson([1e21, 1e-7, -0, 0.1]), "[1e+21,1e-7,0,0.1]");
});

Deno.test("canonicalJson() is JSON of the same value whatever the order of keys", () => {
  fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
    const text = canonicalJson(value);
    assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    assertEquals(canonicalJson(JSON.parse(text)), text);
    assertEquals(canonicalJson(reversed(value)), text);
  }));
});

Deno.test("canonicalJson() refuses what JSON cannot hold and says where it is", () => {
  const refused = (value: unknown, text: string) => assertThrows(() => canonicalJson(value), Error, text);
  refused({ a: [1, NaN] }, "canonicalJson: want JSON at a[1], got NaN; store null for what is not known");
  refused(-Infinity, "canonicalJson: want JSON at the top, got -Infinity");
  refused(
    { a: { b: undefined } },
    "canonicalJson: want JSON at a.b, got undefined; leave the key out or store null",
  );
  refused([, 1], "canonicalJson: want JSON at [0], got undefined");
  refused(
    { w: new Float32Array(2) },
    "want JSON at w, got Float32Array; turn it into plain objects and arrays first",
  );
  refused(1n, "got 1; leave the key out");
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, reversed(v)]));
}

Deno.test("finiteOrText() keeps what JSON has no number for apart from null", () => {
  const text = JSON.stringify({ a: NaN, b: [-Infinity, 1, null], c: Infinity, d: "NaN" }, finiteOrText);
  assertEquals(text, '{"a":"NaN","b":["-Infinity",1,null],"c":"Infinity","d":"NaN"}');
});

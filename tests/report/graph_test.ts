/** Graphs of networks as tables and pictures. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RunGraph } from "../../src/app/inspect.ts";
import { cnn, resnet, stepInput, TraceScope } from "../../src/engine/mod.ts";
import { morph } from "../../src/kasmina/mod.ts";
import { graphLines } from "../../src/report/graph_lines.ts";
import { graphSvg } from "../../src/report/graph_svg.ts";
import { modelGraph } from "../../src/tamiyo/analyser/model_graph.ts";
import { graphLike } from "../tamiyo/observations.ts";

function graphOf(model: Parameters<typeof morph>[0]): RunGraph["graph"] {
  const network = morph(model, ["*"]);
  const { logits, taps } = network.trace(new TraceScope(), stepInput("x", [1, ...model.input]), {});
  return modelGraph(logits, Object.fromEntries(taps));
}

const shown = (graph: RunGraph["graph"], differences: Partial<RunGraph> = {}): RunGraph => ({
  run: "run",
  checkpoint: "step-8",
  graph,
  slots: Object.keys(graph.slots).map((slot) => ({ slot, stage: "DORMANT", blueprint: null, alpha: 0 })),
  ...differences,
});

const numbers = (text: string) => text.split(" ").map(Number);

/** Boxes of nodes and ends of edges in a picture. */
function read(svg: string) {
  const boxes = [...svg.matchAll(/<\/title><rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g)]
    .map(([, ...values]) => numbers(values.join(" ")));
  const paths = [...svg.matchAll(/<path d="M(\S+) \S+?C.* (\S+) \S+?"\/>/g)]
    .map(([, from, to]) => [Number(from), Number(to)]);
  return { boxes, paths };
}

Deno.test("a picture has every node in a place of its own and every edge from left to right", () => {
  const hosts = [
    cnn([8, 8, 3], 10, [4, 8]),
    resnet([16, 16, 3], 10, { width: 4, blocks: [2, 2], norm: "group", groupSize: 2 }),
  ];
  for (const graph of hosts.map(graphOf)) {
    const svg = graphSvg(shown(graph));
    const { boxes, paths } = read(svg);
    assertEquals(boxes.length, graph.nodes.length);
    assertEquals(paths.length, graph.edges.length);
    for (const [k, [x, y, width, height]] of boxes.entries()) {
      for (const [x1, y1] of boxes.slice(0, k)) {
        assert(Math.abs(x - x1) >= width || Math.abs(y - y1) >= height, "two boxes overlap");
      }
    }
    for (const [from, to] of paths) assert(from < to, "an edge points back");
    for (const [k, [from, to]] of graph.edges.entries()) {
      assertEquals(paths[k], [boxes[from][0] + boxes[from][2], boxes[to][0]]);
    }
  }
});

Deno.test("a picture tells slots by name, seed and stage, and takes no name for markup", () => {
  const graph = graphLike(["a<b>&", "other"]);
  const svg = graphSvg(shown(graph, {
    run: 'a "run" <1>',
    slots: [
      { slot: "a<b>&", stage: "TRAINING", blueprint: "conv3", alpha: 0 },
      { slot: "other", stage: "DORMANT", blueprint: null, alpha: 0 },
    ],
  }));
  assertStringIncludes(svg, "a &quot;run&quot; &lt;1&gt; at step-8");
  assertStringIncludes(svg, "a&lt;b&gt;&amp;, conv3, TRAINING");
  assertEquals(svg.match(/stroke="#1971c2"/g)?.length, 2);
  assertEquals(svg.match(/stroke="#868e96"/g)?.length, 2);
  assert(!svg.includes("<b>"));
});

Deno.test("a table has a line a node and the sum of all", () => {
  const graph = graphLike(["a"]);
  const lines = graphLines(shown(graph, {
    checkpoint: null,
    slots: [{ slot: "a", stage: "BLENDING", blueprint: "se", alpha: 0.25 }],
  }));
  assertEquals(lines.slice(2, 7), [
    "   0  input                    8         64           0      0",
    "   1  conv        0            8         64         200   2000",
    "   2  activation  1            8         64           0   3000",
    "   3  slot        2            8         64           0      0  a: BLENDING se, α 0.25",
    "   4  product     3            8          1         500   5000",
  ]);
  assertEquals(
    lines.at(-1),
    "run before its first checkpoint: 700 parameters, 10.0 kFLOP an example, 5 nodes, 4 edges",
  );
});

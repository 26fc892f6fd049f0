import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { barChart, lineChart, type Point, thinned, timeline } from "../../src/report/charts.ts";
import { colorVariables, stageColor } from "../../src/report/colors.ts";
import { definitionList, escapeHtml, figure, htmlTable } from "../../src/report/html.ts";
import { page } from "../../src/report/page.ts";

const falling: Point[] = Array.from(
  { length: 5000 },
  (_, step) => [step, step === 1234 ? 99 : 1 / (step + 1)],
);

Deno.test("lineChart() draws lines, bands, legend, axes and what happened, as one SVG", () => {
  const svg = lineChart({
    title: "Loss of <host> & grown",
    x: "step",
    y: "loss, nats",
    lines: [
      { name: "host", points: falling },
      { name: "a<b", points: [[0, 1], [4999, 2]], band: [[0, 0.5, 1.5], [4999, 1, 3]] },
    ],
    events: [{ x: 100, mark: "G", text: "germinated" }, { x: 101, mark: "B", text: "blended" }],
  });
  assertMatch(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" /);
  assertMatch(svg, /<\/svg>$/);
  assertStringIncludes(svg, 'aria-label="Loss of &lt;host&gt; &amp; grown"');
  for (const text of ["loss, nats", "step →", ">host<", ">a&lt;b<", "<title>germinated</title>"]) {
    assertStringIncludes(svg, text);
  }
  for (const color of ["var(--series-0,", "var(--series-1,"]) assertStringIncludes(svg, `stroke="${color}`);
  // Marks that would stand on one another stand above one another.
  const heights = [
    ...svg.matchAll(/<g transform="translate\(0,(-\d+)\)" font-weight="bold"[^>]*><text[^>]*>(\w)</g),
  ];
  assertEquals(heights.map(([, height, mark]) => [mark, height]), [["G", "-4"], ["B", "-22"]]);
  assert(svg.length < 60_000, String(svg.length));
});

Deno.test("lineChart() stands what is missing: no points, one point, nothing positive on a log axis", () => {
  for (
    const points of [[], [[3, 1]], [[0, NaN], [1, 2]], [[0, 0], [
      1,
      -1,
    ]]] as const satisfies readonly Point[][]
  ) {
    assertMatch(
      lineChart({ title: "few", x: "step", y: "loss", lines: [{ name: "a", points }], scale: "log" }),
      /^<svg [^]*<\/svg>$/,
    );
  }
});

Deno.test("thinned() keeps ends and extremes, and little else", () => {
  const kept = thinned(falling, 400);
  assert(kept.length <= 404, String(kept.length));
  assertEquals([kept[0], kept.at(-1)], [falling[0], falling.at(-1)]);
  assert(kept.some(([step, value]) => step === 1234 && value === 99));
  assert(kept.every(([step], k) => k === 0 || step > kept[k - 1][0]));
  assertEquals(thinned(falling.slice(0, 10), 400), falling.slice(0, 10));
});

Deno.test("timeline() and barChart() name their rows", () => {
  const color = stageColor("TRAINING");
  const stretch = { row: "block1/1", from: 6, to: 9, color, label: "training", text: "9 ticks" };
  const life = timeline("Lives", "tick", [stretch]);
  assertMatch(life, /<text[^>]*>0<\/text>/);
  for (const text of ["block1/1", ">training<", "<title>9 ticks</title>", color]) {
    assertStringIncludes(life, text);
  }
  const bars = barChart({
    title: "Kernels",
    x: "ms",
    bars: [{ name: "gemm", value: 3.14159, range: [3, 4] }],
  });
  for (const text of ["gemm", "3.14", "ms →"]) assertStringIncludes(bars, text);
});

Deno.test("page() needs nothing but itself, has both themes and paper, and escapes what it is given", () => {
  const html = page({
    title: "run <1>",
    subtitle: "a & b",
    sections: [{
      title: "Seeds & slots",
      html: figure("<svg></svg>", "caption <x>") + htmlTable(["<h>"], [["<td>", "3.1%"]], "what") +
        definitionList([["k<", "v>"]]),
    }],
  });
  assertStringIncludes(html, "<title>run &lt;1&gt;</title>");
  for (
    const text of ["a &amp; b", "caption &lt;x&gt;", "<td>&lt;td&gt;</td>", "k&lt;", "Seeds &amp; slots"]
  ) {
    assertStringIncludes(html, text);
  }
  assertStringIncludes(html, `@media (prefers-color-scheme:dark){:root{${colorVariables("dark")}}}`);
  assertStringIncludes(html, "@media print{");
  assertEquals(html.match(/(?:src|href)="(?!#|data:)[^"]*"|@import|url\(/g), null);
  assertEquals(escapeHtml(`<"'&>`), "&lt;&quot;&#39;&amp;&gt;");
});

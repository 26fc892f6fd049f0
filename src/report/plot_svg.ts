/** Charts of Observable Plot as text, drawn without a browser. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { escapeHtml } from "./html.ts";

// What linkedom calls a window is one of its own, which TypeScript takes for the real one.
const { document } = parseHTML("<html></html>") as unknown as Required<Pick<Plot.PlotOptions, "document">>;

/**
 * A chart as SVG that scales with the page. `title` is what it is called where it is read aloud; `extra` is drawn on top
 * of it, as SVG.
 */
export function plotSvg(title: string, options: Plot.PlotOptions, extra = ""): string {
  const svg = Plot.plot({ document, ariaLabel: title, style: { fontSize: "12px" }, ...options }).outerHTML;
  return svg.replace(/<style>[^]*?<\/style>/, "")
    .replace("<svg ", `<svg xmlns="http://www.w3.org/2000/svg" role="img" `)
    .replace(/<\/svg>\s*$/, `${extra}</svg>`)
    .replace(/aria-label="[^"]*"/, `aria-label="${escapeHtml(title)}"`);
}

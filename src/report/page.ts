/** A page that needs nothing but itself: legible in light and dark, on narrow screens, on paper. */
import { colorVariables } from "./colors.ts";
import { escapeHtml } from "./html.ts";

/** A part of a page under a heading. */
export interface Section {
  readonly title: string;
  /** Its content, as HTML. */
  readonly html: string;
}

export interface PageParts {
  readonly title: string;
  /** What stands below the title, as text. */
  readonly subtitle?: string;
  readonly sections: readonly Section[];
  /** HTML before the sections, such as buttons. */
  readonly before?: string;
  /** A program for the page; `nonce` is what the server's policy allows it by. */
  readonly script?: { readonly code: string; readonly nonce: string };
}

const STYLE = `
:root{color-scheme:light dark;${colorVariables("light")}}
@media (prefers-color-scheme:dark){:root{${colorVariables("dark")}}}
@media print{:root{color-scheme:light;${colorVariables("light")}}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;border-bottom:1px solid var(--rule)}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p{margin:.5rem 0}
.subtitle,figcaption,caption,.quiet{color:var(--quiet);font-size:.9rem}
nav{font-size:.9rem;margin:.8rem 0}
nav a{margin-right:1rem;white-space:nowrap}
a{color:var(--series-0)}
a:focus-visible,button:focus-visible,select:focus-visible,summary:focus-visible{outline:3px solid var(--series-1);outline-offset:2px}
figure{margin:1rem 0;overflow-x:auto}
figure svg{display:block;max-width:100%;min-width:40rem;height:auto}
figcaption{position:sticky;left:0}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.88rem;margin:.6rem 0}
caption{text-align:left;padding-bottom:.3rem}
th,td{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--rule);vertical-align:top}
td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;font-size:.9rem;margin:.5rem 0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--card);padding:.8rem;overflow-x:auto;font-size:.8rem;border-radius:4px}
.notice{border-left:4px solid var(--series-1);background:var(--card);padding:.5rem .8rem}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin:.8rem 0}
.tiles div{background:var(--card);border-radius:6px;padding:.5rem .9rem;min-width:7rem}
.tiles b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
.tiles span{color:var(--quiet);font-size:.8rem}
[hidden]{display:none!important}
.controls{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.8rem 0}
button,select{font:inherit;padding:.3rem .8rem;border:1px solid var(--rule);border-radius:6px;background:var(--card);color:var(--ink)}
button:disabled{opacity:.5}
svg.light{background:#fff;border-radius:6px}
@media screen{figure svg.light{max-width:none}}
@media print{figure svg{min-width:0}body{max-width:none;font-size:11pt;padding:0}nav,.controls{display:none}
figure,table,tr{break-inside:avoid}h2,h3{break-after:avoid}pre{white-space:pre-wrap}.wide{overflow:visible}details>*{display:block}}
`;

const idOf = (title: string) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** Sections as HTML, each with a heading that can be linked to. */
export function sectionsHtml(sections: readonly Section[]): string {
  return sections.map(({ title, html }) =>
    `<section id="${idOf(title)}"><h2>${escapeHtml(title)}</h2>\n${html}\n</section>`
  ).join("\n");
}

/** The whole file, styles included; nothing is loaded from anywhere. */
export function page({ title, subtitle, sections, before = "", script }: PageParts): string {
  const links = sections.map((section) =>
    `<a href="#${idOf(section.title)}">${escapeHtml(section.title)}</a>`
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Esper">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1>
${subtitle === undefined ? "" : `<p class="subtitle">${escapeHtml(subtitle)}</p>`}
${links.length > 3 ? `<nav aria-label="Contents">${links.join("\n")}</nav>` : ""}</header>
<main>
${before}<div id="sections">
${sectionsHtml(sections)}
</div>
</main>
${script === undefined ? "" : `<script nonce="${script.nonce}">${script.code}</script>\n`}</body>
</html>
`;
}

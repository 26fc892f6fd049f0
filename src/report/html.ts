/** Pieces of HTML. */

/** Text as it may stand in HTML and SVG, attributes included. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  )
    .replaceAll("'", "&#39;");
}

/** A cell that stands on the right: a number, perhaps with a unit. */
const NUMERIC = /^[-+−±]?[\d.,]+(e[-+]\d+)?\s?[%\w/]*$/;

/** A table; cells are texts. `caption` says what it shows. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  caption?: string,
): string {
  const cell = (text: string) => `<td${NUMERIC.test(text) ? ` class="number"` : ""}>${escapeHtml(text)}</td>`;
  return `<div class="wide"><table>${
    caption === undefined ? "" : `<caption>${escapeHtml(caption)}</caption>`
  }<thead><tr>${head.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join("")}</tr></thead><tbody>${
    rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n")
  }</tbody></table></div>`;
}

/** A picture with a caption of what it shows. */
export function figure(svg: string, caption: string): string {
  return `<figure>${svg}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

/** Names with their values, such as those of a configuration. */
export function definitionList(pairs: readonly (readonly [string, string])[]): string {
  return `<dl>${
    pairs.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join("\n")
  }</dl>`;
}

/** A cell that is a number in disguise stands on the right. */
const NUMERIC = /^[-+]?[\d.,]+(e[-+]\d+)?\s?[%\w/]*$/;

/**
 * Lines of a table with aligned columns, two spaces between them. Column by column, cells stand on the right where
 * all of them below the head are numbers. The head is underlined.
 */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => (row[c] ?? "").length)));
  const right = head.map((_, c) =>
    rows.length > 0 && rows.every((row) => NUMERIC.test(row[c] ?? "") || row[c] === "-")
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, c) => right[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])).join("  ").trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)];
}

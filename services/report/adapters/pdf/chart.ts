/** Height of a bar with its space, in points. */
export const BAR_ROW_HEIGHT = 18;
const BAR_HEIGHT = 11;
const GRID_PARTS = 4;

/**
 * A horizontal bar chart as SVG: a bar a value, the longest over the full width, with a line at each quarter. It has no
 * text: labels stand beside it, in the document's own fonts.
 * @param width in points
 */
export function barChart(values: readonly number[], { width, color }: { width: number; color: string }): string {
  const height = values.length * BAR_ROW_HEIGHT;
  const longest = Math.max(1, ...values);
  const grid = Array.from({ length: GRID_PARTS + 1 }, (_, i) => {
    const x = Math.min(width - 0.5, Math.max(0.5, (width * i) / GRID_PARTS));
    const stroke = i === 0 ? '#6b7280' : '#d1d5db';
    return `<line x1="${x}" y1="0" x2="${x}" y2="${height}" stroke="${stroke}" stroke-width="0.5"/>`;
  });
  const bars = values.map((value, i) => {
    const y = i * BAR_ROW_HEIGHT + (BAR_ROW_HEIGHT - BAR_HEIGHT) / 2;
    const length = Math.max(0.5, (width * value) / longest).toFixed(2);
    return `<rect x="0.5" y="${y}" width="${length}" height="${BAR_HEIGHT}" fill="${color}"/>`;
  });
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${grid.join('')}${bars.join('')}</svg>`;
}

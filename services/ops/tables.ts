/** Tables for a terminal, in which Hangul, kana, Han and emoji take two columns. */

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Longest cell, in columns of the terminal; longer ones are cut. */
const CELL_WIDTH_MAX = 48;
const GAP = '  ';
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
/** Control and format characters could move the cursor or turn the line around; joiners within an emoji are wanted. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** How many columns of a terminal the text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** The rows under their columns' titles, with a rule between; no line ends in spaces. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly (string | number | bigint)[])[],
): string {
  const cells = rows.map((row) => row.map((value) => shorten(formatCell(value))));
  const widths = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...cells.map((row) => displayWidth(row[index] ?? ''))),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => pad(text, widths[index]!, columns[index]!.align ?? 'left'))
      .join(GAP)
      .trimEnd();
  return [
    line(columns.map((column) => column.title)),
    widths.map((width) => '─'.repeat(width)).join(GAP),
    ...cells.map(line),
  ].join('\n');
}

/** Whole numbers with separators of thousands; exact for bigint. */
export function formatNumber(value: number | bigint): string {
  return value.toLocaleString('en-US');
}

function formatCell(value: string | number | bigint): string {
  return typeof value === 'string' ? value.replaceAll(UNPRINTABLE, '\ufffd') : formatNumber(value);
}

function shorten(text: string): string {
  if (displayWidth(text) <= CELL_WIDTH_MAX) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    width += graphemeWidth(segment);
    if (width > CELL_WIDTH_MAX - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? space + text : text + space;
}

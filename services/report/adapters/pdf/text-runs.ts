import { BASE_FAMILY, FAMILIES, type Family, hasGlyph } from './fonts.js';

/** Part of a text that one font shows. */
export interface TextRun {
  readonly text: string;
  readonly font: Family;
}

const graphemes = new Intl.Segmenter('ko', { granularity: 'grapheme' });
/** Says that the character before is to be shown as an emoji, or as text. */
const EMOJI_PRESENTATION = 0xfe0f;
/** Do not need a glyph of their own: joiner and variation selectors. */
const INVISIBLE = new Set([0x200d, 0xfe0e, EMOJI_PRESENTATION]);

/**
 * Cuts a text into runs that each have a font with all of their glyphs. A character that no font has is shown by its
 * code point, e.g. `[U+1F9FF]`: visibly, never as an empty box. What has no shape (control characters) is left out.
 */
export function textRuns(text: string): TextRun[] {
  const runs: TextRun[] = [];
  for (const { segment } of graphemes.segment(text.normalize('NFC'))) {
    const shown = segment.replace(/[\p{Cc}\p{Cs}\p{Co}]/gu, '');
    if (shown === '') continue;
    const font = familyFor(shown);
    const run: TextRun = font === undefined ? { text: codePoints(shown), font: BASE_FAMILY } : { text: shown, font };
    const last = runs.at(-1);
    if (last?.font === run.font) runs[runs.length - 1] = { text: last.text + run.text, font: run.font };
    else runs.push(run);
  }
  return runs;
}

function familyFor(grapheme: string): Family | undefined {
  const points = [...grapheme].map((character) => character.codePointAt(0)!);
  const visible = points.filter((point) => !INVISIBLE.has(point));
  const order: readonly Family[] = points.includes(EMOJI_PRESENTATION) ? ['Emoji', ...FAMILIES] : FAMILIES;
  return order.find((family) => visible.every((point) => hasGlyph(family, point)));
}

function codePoints(text: string): string {
  return [...text]
    .map((character) => `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)
    .join('');
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Families of the document; `bold` of a family without one is its regular face. */
export const FAMILIES = ['Korean', 'Latin', 'Japanese', 'Emoji'] as const;
export type Family = (typeof FAMILIES)[number];

/** The family of everything that we write ourselves. */
export const BASE_FAMILY: Family = 'Korean';

const require = createRequire(import.meta.url);
const packages = '@expo-google-fonts';

const FILES: Readonly<Record<Family, { readonly normal: string; readonly bold: string }>> = {
  Korean: {
    normal: `${packages}/noto-sans-kr/400Regular/NotoSansKR_400Regular.ttf`,
    bold: `${packages}/noto-sans-kr/700Bold/NotoSansKR_700Bold.ttf`,
  },
  Latin: {
    normal: `${packages}/noto-sans/400Regular/NotoSans_400Regular.ttf`,
    bold: `${packages}/noto-sans/400Regular/NotoSans_400Regular.ttf`,
  },
  Japanese: {
    normal: `${packages}/noto-sans-jp/400Regular/NotoSansJP_400Regular.ttf`,
    bold: `${packages}/noto-sans-jp/400Regular/NotoSansJP_400Regular.ttf`,
  },
  Emoji: {
    normal: `${packages}/noto-emoji/400Regular/NotoEmoji_400Regular.ttf`,
    bold: `${packages}/noto-emoji/400Regular/NotoEmoji_400Regular.ttf`,
  },
};

/** What we use of a parsed font. */
interface Font {
  hasGlyphForCodePoint(codePoint: number): boolean;
  /** Places the glyphs of a text. The caller may change what it gets. */
  layout(text: string, features?: unknown, ...rest: unknown[]): GlyphRun;
}

interface GlyphRun {
  readonly positions: readonly object[];
}

interface Fontkit {
  create(buffer: Uint8Array): Font;
  registerFormat(format: unknown): void;
}

/** The library that pdfkit parses fonts with: the same instance. */
const fontkit = require('fontkit') as Fontkit;

const TOKEN = 'PLAYBILL-FONT:';
const parsed = new Map<string, Font>();

function parse(file: string): Font {
  const known = parsed.get(file) ?? rememberLayouts(fontkit.create(readFileSync(require.resolve(file))));
  parsed.set(file, known);
  return known;
}

const LAYOUTS_MAX = 20_000;

/**
 * Placing glyphs is a third of the work of making a document, and the words of statements repeat: labels, numbers, the
 * titles of the Top 5. What was placed once is kept for later documents, which get copies.
 */
function rememberLayouts(font: Font): Font {
  const place = font.layout.bind(font);
  const runs = new Map<string, GlyphRun>();
  font.layout = (text, features, ...rest) => {
    if (features !== undefined) return place(text, features, ...rest);
    const known = runs.get(text) ?? place(text);
    if (runs.size >= LAYOUTS_MAX) runs.clear();
    runs.set(text, known);
    return copyOf(known);
  };
  return font;
}

function copyOf(run: GlyphRun): GlyphRun {
  return Object.assign(shellOf(run), run, {
    positions: run.positions.map((position) => Object.assign(shellOf(position), position)),
  });
}

function shellOf<T extends object>(of: T): T {
  return Object.create(Object.getPrototypeOf(of)) as T;
}

/**
 * A font format of our own, of which a file is just the name of a font that is parsed already. So a thread parses each
 * font once, not once a document, which would be most of the work of making one.
 */
class ParsedFont {
  readonly type = 'PLAYBILL';

  static probe(buffer: Uint8Array): boolean {
    return Buffer.from(buffer.buffer, buffer.byteOffset, TOKEN.length).toString('latin1') === TOKEN;
  }

  constructor(stream: { buffer: Uint8Array }) {
    const file = Buffer.from(stream.buffer).toString('latin1').slice(TOKEN.length);
    // biome-ignore lint/correctness/noConstructorReturn: the library takes what `new` gives as the font
    return parse(file) as unknown as ParsedFont;
  }
}

let isRegistered = false;

/** Makes the parsed fonts known to the PDF library. @returns names for its font table, and files for its file system */
export function provideFonts(): {
  readonly families: Readonly<Record<Family, { normal: string; bold: string }>>;
  readonly files: ReadonlyMap<string, Buffer>;
} {
  if (!isRegistered) fontkit.registerFormat(ParsedFont);
  isRegistered = true;
  const files = new Map<string, Buffer>();
  for (const { normal, bold } of Object.values(FILES)) {
    for (const file of [normal, bold]) files.set(file, Buffer.from(`${TOKEN}${file}`, 'latin1'));
  }
  return { families: FILES, files };
}

/** Whether the family can show the code point. */
export function hasGlyph(family: Family, codePoint: number): boolean {
  return parse(FILES[family].normal).hasGlyphForCodePoint(codePoint);
}

/** A video's lifetime before the books open. */
export interface OpeningPosition {
  readonly videoId: bigint;
  readonly views: bigint;
  readonly adViews: bigint;
}

/** What is wrong with a line of the file; lines count from 1, the heading is line 1. */
export interface LineError {
  readonly line: number;
  readonly message: string;
}

export interface PositionsFile {
  readonly positions: readonly OpeningPosition[];
  readonly errors: readonly LineError[];
}

const HEADING = 'videoId,views,adViews';
const WHOLE_NUMBER = /^(?:0|[1-9][0-9]{0,18})$/;
const ID_MAX = 2n ** 63n - 1n;
/** A position that no tariff's tiers lie beyond; far above any video's lifetime. */
const POSITION_MAX = 1_000_000_000_000n;

/**
 * Reads `videoId,views,adViews`, one video a line, whole numbers without signs or separators. Every line is checked;
 * line ends may be LF or CRLF, a UTF-8 byte order mark is skipped, empty lines only at the end.
 */
export function parsePositions(text: string): PositionsFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  const errors: LineError[] = [];
  const positions: OpeningPosition[] = [];
  const firstLineOf = new Map<bigint, number>();
  if (lines[0] !== HEADING) errors.push({ line: 1, message: `the heading must be ${HEADING}` });
  for (let i = 1; i < lines.length; i++) {
    const parsed = parseLine(lines[i]!);
    if (typeof parsed === 'string') {
      errors.push({ line: i + 1, message: parsed });
      continue;
    }
    const first = firstLineOf.get(parsed.videoId);
    if (first !== undefined)
      errors.push({ line: i + 1, message: `video ${parsed.videoId} is on line ${first} already` });
    else firstLineOf.set(parsed.videoId, i + 1);
    positions.push(parsed);
  }
  if (positions.length === 0 && errors.length === 0) errors.push({ line: 2, message: 'there are no positions' });
  return { positions, errors };
}

/** @returns the position, or what is wrong with the line */
function parseLine(line: string): OpeningPosition | string {
  const fields = line.split(',');
  if (fields.length !== 3) return `has ${fields.length} fields instead of 3`;
  const [videoId, views, adViews] = fields as [string, string, string];
  for (const [name, field] of [
    ['videoId', videoId],
    ['views', views],
    ['adViews', adViews],
  ] as const) {
    if (!WHOLE_NUMBER.test(field)) return `${name} is not a whole number: ${JSON.stringify(field.slice(0, 40))}`;
  }
  const id = BigInt(videoId);
  if (id < 1n || id > ID_MAX) return 'videoId is not an id';
  const position = { videoId: id, views: BigInt(views), adViews: BigInt(adViews) };
  if (position.views > POSITION_MAX || position.adViews > POSITION_MAX) return `a position is above ${POSITION_MAX}`;
  return position;
}

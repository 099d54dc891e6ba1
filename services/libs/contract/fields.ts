import { z } from 'zod';
import {
  DomainError,
  parseEventId,
  parseInstant,
  parseIsoWeek,
  parseKstDay,
  parseMonth,
  parseUserId,
  parseVideoId,
  parseViewer,
} from '#domain';

/** A text that a rule of the domain reads: what comes out is the domain's type, what is shown is `meta`. */
function readBy<T>(parse: (text: string) => T, meta: Readonly<Record<string, unknown>>) {
  return z
    .string()
    .meta(meta)
    .transform((text, ctx): T => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        ctx.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    });
}

const ID_PATTERN = '^[1-9][0-9]{0,18}$';
const UUID_PATTERN = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

/** Fields of requests; each gives the domain's own type. */
export const videoIdField = readBy((text) => parseVideoId(text), { pattern: ID_PATTERN, example: '4711' });
export const userIdField = readBy((text) => parseUserId(text), { pattern: ID_PATTERN, example: '42' });
export const eventIdField = readBy((text) => parseEventId(text), { pattern: UUID_PATTERN, format: 'uuid' });
export const viewerField = readBy((text) => parseViewer(text), { example: 'u:42', description: 'u:<id> or d:<uuid>' });
export const dayField = readBy((text) => parseKstDay(text), { format: 'date', description: 'a day in Asia/Seoul' });
export const weekField = readBy((text) => parseIsoWeek(text), { pattern: '^\\d{4}-W\\d{2}$', example: '2026-W47' });
export const monthField = readBy((text) => parseMonth(text), { pattern: '^\\d{4}-\\d{2}$', example: '2026-11' });
/** Milliseconds since 1970. */
export const instantField = readBy((text) => parseInstant(text), { format: 'date-time' });
/** An id that means nothing to clients. */
export const opaqueId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Must be an id.')
  .meta({ example: '0198c0de-0000-7000-8000-000000000000' });
/** A whole number that is not negative. */
export const countField = z.int().min(0);

/** Fields of answers, in the form that they have in JSON. */
export const ID = new RegExp(ID_PATTERN);
export const id = z.string().regex(ID);
export const uuid = z.uuid();
export const day = z.iso.date();
export const instant = z.iso.datetime();
export const won = z.int().meta({ description: 'won' });
export const count = z.int().min(0);

/** Whether it is what `count` takes, for those who read many by hand. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A page of a list: the cursor of the answer before, or none for the first page. */
export const cursorField = z.string().min(1).max(200).optional().meta({ description: 'nextCursor of the page before' });

/** A page's items and the cursor of the next page, null on the last. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** A day, week or month; both ends inclusive. */
export const period = z.object({ kind: z.enum(['daily', 'weekly', 'monthly']), from: day, to: day });

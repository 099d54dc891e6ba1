import type { Request } from 'express';
import type { ZodError } from 'zod';
import { watch } from '#lib/contract';
import { Problem } from '#lib/http';
import { Refusal, type Stop } from '../../usecases/take-stops.js';

export const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/**
 * The stops of a bulk call: `{events: […]}`, or one JSON object a line. What is wrong with one is its own matter.
 * @throws Problem UNREADABLE or INVALID for a body that holds no list, BODY_TOO_LARGE for more than 1,000 events
 */
export function readStops(req: Request): (Stop | Refusal)[] {
  const isText = typeof req.body === 'string';
  const stops = isText ? linesOf(req.body).map(readLine) : eventsOf(req.body).map(readStop);
  if (stops.length > watch.EVENTS_PER_CALL_MAX) {
    throw new Problem('BODY_TOO_LARGE', { detail: `A call takes up to ${watch.EVENTS_PER_CALL_MAX} events.` });
  }
  return stops;
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function eventsOf(body: unknown): unknown[] {
  const events = (body as { events?: unknown } | undefined)?.events;
  if (Array.isArray(events)) return events;
  const errors = [{ field: 'events', message: 'Must be a list of events.' }];
  throw new Problem('INVALID', { detail: 'events: Must be a list of events.', errors });
}

function readLine(line: string): Stop | Refusal {
  try {
    return readStop(JSON.parse(line));
  } catch {
    return new Refusal([{ field: '', message: 'Must be one JSON object a line.' }]);
  }
}

function readStop(value: unknown): Stop | Refusal {
  return watch.readBulkEvent(value) ?? readBySchema(value);
}

/** Names every field that is wrong. */
function readBySchema(value: unknown): Stop | Refusal {
  const result = watch.bulkEvent.safeParse(value);
  if (result.success) return result.data;
  const sentId = (value as { eventId?: unknown } | null)?.eventId;
  return new Refusal(errorsOf(result.error), typeof sentId === 'string' ? sentId.slice(0, 64) : null);
}

function errorsOf(error: ZodError) {
  return error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
}

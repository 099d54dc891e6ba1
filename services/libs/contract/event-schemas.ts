import { z } from 'zod';
import { WATCH_RECORDED, watchRecorded } from './events.js';
import { day, id, uuid } from './fields.js';

const revision = z.int().min(1);

const completed = z.object({
  day,
  runId: uuid,
  revision: revision.meta({
    description: 'counts 1, 2, … for the day; results of a higher one replace those of a lower',
  }),
});

/** Data of each event, by its topic, which is its type as well. */
export const EVENTS = {
  [WATCH_RECORDED]: watchRecorded,
  'run.progress': z
    .object({ runId: uuid, day, job: z.enum(['daily', 'statistics', 'settlement']), step: z.string() })
    .meta({ description: 'A run has come to its next step' }),
  'statistics.completed': completed.meta({ description: "A day's statistics are complete, or were recomputed" }),
  'settlement.completed': completed.meta({ description: 'A day is settled, or adjustments to it were posted' }),
  'statement.ready': z
    .object({ creatorId: id, week: z.string().regex(/^\d{4}-W\d{2}$/), revision })
    .meta({ description: "A creator's statement of a week is stored" }),
} as const;

export type EventTopic = keyof typeof EVENTS;

/**
 * The JSON Schema of an event's `data`, as docs/events has it. The event around it is a CloudEvent 1.0 whose `type` is
 * the topic; it may be delivered more than once, with the same `id`.
 */
export function eventSchema(topic: EventTopic): Record<string, unknown> {
  return z.toJSONSchema(EVENTS[topic]) as Record<string, unknown>;
}

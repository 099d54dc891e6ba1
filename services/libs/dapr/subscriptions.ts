import express, { type Express } from 'express';
import type { Logger } from '#lib/logging';
import { inSpan } from '#lib/telemetry';

/** An event as it was delivered; its id is the same each time. */
export interface ReceivedEvent {
  readonly id: string;
  /** The topic that it was published to first. */
  readonly type: string;
  readonly data: unknown;
}

interface Traced {
  readonly [TRACE_ATTRIBUTE]?: unknown;
}

export interface Subscription {
  readonly topic: string;
  /** Where events go that fail for good. */
  readonly deadLetterTopic?: string;
  /**
   * Does the work, and knows events that it has done already.
   * @throws UnusableEventError for an event that will never work; anything else is tried again
   */
  readonly handle: (event: ReceivedEvent) => Promise<void>;
}

/** The event cannot be used however often it is delivered: it goes to the dead letters at once. */
export class UnusableEventError extends Error {}

/**
 * Attribute of a CloudEvent that holds the trace in which it was published. Sidecars write `traceparent` themselves, and
 * without tracing of their own they write that there is none.
 */
export const TRACE_ATTRIBUTE = 'publishedtraceparent';

const PUBSUB = 'pubsub';
const BODY_LIMIT = '16mb';

/** Tells the sidecar what this app subscribes to, and takes the events. */
export function addSubscriptions(
  app: Express,
  { subscriptions, logger }: { subscriptions: readonly Subscription[]; logger: Logger },
): void {
  const routeOf = ({ topic }: Subscription) => `/events/${topic}`;
  app.get('/dapr/subscribe', (_req, res) => {
    res.json(
      subscriptions.map((subscription) => ({
        pubsubname: PUBSUB,
        topic: subscription.topic,
        route: routeOf(subscription),
        ...(subscription.deadLetterTopic === undefined ? {} : { deadLetterTopic: subscription.deadLetterTopic }),
      })),
    );
  });
  const parse = express.json({ type: ['application/cloudevents+json', 'application/json'], limit: BODY_LIMIT });
  for (const subscription of subscriptions) {
    app.post(routeOf(subscription), parse, async (req, res) => {
      const { id, type, data, [TRACE_ATTRIBUTE]: parent } = req.body as ReceivedEvent & Traced;
      try {
        const span = { parent: typeof parent === 'string' ? parent : undefined };
        await inSpan(`event ${subscription.topic}`, span, () => subscription.handle({ id, type, data }));
        res.json({ status: 'SUCCESS' });
      } catch (error) {
        const isUnusable = error instanceof UnusableEventError;
        logger.warn({ err: error, id, topic: subscription.topic }, isUnusable ? 'unusable event' : 'event failed');
        res.json({ status: isUnusable ? 'DROP' : 'RETRY' });
      }
    });
  }
}

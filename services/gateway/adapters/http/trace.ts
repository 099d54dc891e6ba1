import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C trace context: goes on with the client's trace, or begins one. Its id is in every problem document and log line. */
export const traceRequests: RequestHandler = (req, res, next) => {
  const given = req.get('traceparent');
  const isUsable = given !== undefined && TRACEPARENT.test(given);
  const traceId = isUsable ? given.slice(3, 35) : randomBytes(16).toString('hex');
  res.locals.traceId = traceId;
  res.locals.traceparent = isUsable ? given : `00-${traceId}-${randomBytes(8).toString('hex')}-00`;
  next();
};

import { infoRoutes } from './info.js';
import { opsRoutes } from './ops.js';
import type { Route } from './route.js';
import { statementRoutes } from './statement.js';
import { userRoutes } from './user.js';
import { videoRoutes } from './video.js';
import { watchRoutes } from './watch.js';

export { EVENTS, type EventTopic, eventSchema } from './event-schemas.js';
export {
  type ReadOptions,
  type Recording,
  readWatchRecorded,
  WATCH_RECORDED,
  type WatchRecorded,
  watchRecorded,
  writeVideos,
} from './events.js';
export * from './fields.js';
export * as info from './info.js';
export * as ops from './ops.js';
export {
  ANSWER_TIMEOUT_MS,
  type Answer,
  type Audience,
  BODY_BYTES_MAX,
  type BodyType,
  defineRoute,
  expressPath,
  type Route,
} from './route.js';
export * as statement from './statement.js';
export * as user from './user.js';
export * as video from './video.js';
export * as watch from './watch.js';

/** Every public call, each once. */
export const ROUTES: readonly Route[] = [
  ...userRoutes,
  ...videoRoutes,
  ...watchRoutes,
  ...infoRoutes,
  ...statementRoutes,
  ...opsRoutes,
];

export { callWithFallback, type FallbackCall, type Way } from './fallback.js';
export { type OutboxMessage, OutboxRelay, type OutboxRelayOptions, readOutboxState, writeOutbox } from './outbox.js';
export { createDaprServer, type DaprServerSettings } from './server.js';
export { type CallOptions, Sidecar, SidecarError, type SidecarOptions } from './sidecar.js';
export { addSubscriptions, type ReceivedEvent, type Subscription, UnusableEventError } from './subscriptions.js';
export { uuidv7 } from './uuidv7.js';

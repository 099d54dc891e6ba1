/** The rules of money, calendar, tariffs, validity and settlement: pure, without dependencies, clock or process. */
export * from './advertisement.js';
export * from './bill.js';
export * from './calendar.js';
export * from './errors.js';
export * from './ids.js';
export * from './money.js';
export * from './period-state.js';
export * from './recording.js';
export * from './run-order.js';
export * from './settlement.js';
export * from './slices.js';
export * from './statistics.js';
export * from './tariff.js';
export * from './validity.js';

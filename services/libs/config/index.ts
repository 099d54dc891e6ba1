import { z } from 'zod';

/** Thrown at boot when the environment does not fit the service's schema; the message names every wrong variable. */
export class ConfigError extends Error {}

/**
 * Reads a service's settings from environment variables.
 * @param schema shape of the settings; its keys are the names of the variables
 * @throws ConfigError naming each missing or malformed variable, one a line
 */
export function readConfig<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  env: Record<string, string | undefined> = process.env,
): z.infer<z.ZodObject<S>> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`unusable configuration:\n${lines.join('\n')}`);
}

/** A TCP port, 1–65535. */
export const port = z.coerce.number().int().min(1).max(65535);

/** A database or broker endpoint, `host:port`. */
export const endpoint = z
  .string()
  .regex(/^[^\s:,]+:\d{1,5}$/, 'must be host:port')
  .transform(parseEndpoint);

/** A list of endpoints separated by commas; empty means none. */
export const endpoints = z
  .string()
  .regex(/^([^\s:,]+:\d{1,5}(,[^\s:,]+:\d{1,5})*)?$/, 'must be host:port,host:port')
  .transform((text) => (text === '' ? [] : text.split(',').map(parseEndpoint)));

/** Where a server listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

function parseEndpoint(text: string): Endpoint {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}

/** Settings that every service has; the local supervisor, compose and Kubernetes all set these. */
export const serviceSettings = {
  /** Address on which the service answers its sidecar and the scraper. */
  APP_HOST: z.string().default('127.0.0.1'),
  /** Port of the same. */
  APP_PORT: port,
  /** What sidecars show their apps; the same for all apps of a stack. */
  APP_API_TOKEN: z.string().min(16),
  /** Of its sidecar, which is on 127.0.0.1. */
  DAPR_HTTP_PORT: port,
  /** What apps show their sidecars; the same for all apps of a stack. */
  DAPR_API_TOKEN: z.string().min(16),
  /** Name of this replica in logs, metrics and runs; different from every other's. */
  PLAYBILL_REPLICA: z.string().min(1).max(64),
  /** What is logged at least. */
  PLAYBILL_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Where traces are sent by OTLP over HTTP; none are made without it. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
};

/** Settings of every service that has a database account. */
export const databaseSettings = {
  /** The server that is written to, `host:port`. */
  PLAYBILL_DB_PRIMARY: endpoint,
  /** Servers that are read from, `host:port,host:port`; without any, the primary is. */
  PLAYBILL_DB_REPLICAS: endpoints.default([]),
  /** Connections to each server. */
  PLAYBILL_DB_POOL_SIZE: z.coerce.number().int().min(1).max(100).default(8),
};

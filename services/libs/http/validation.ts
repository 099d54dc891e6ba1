import type { z } from 'zod';
import { Problem } from './problem.js';

/** Parses input by its schema. @throws Problem INVALID naming every field that fails */
export function parseOrRefuse<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  throw new Problem('INVALID', { detail: errors.map((e) => `${e.field}: ${e.message}`).join('; '), errors });
}

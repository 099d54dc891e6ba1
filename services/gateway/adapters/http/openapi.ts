import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { Answer, Route } from '#lib/contract';
import { ERROR_CODES, type ErrorCode } from '#lib/http';

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z
      .enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]])
      .meta({ description: 'stable; docs/errors.md' }),
    traceId: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const deviceHeader = z.object({
  'X-Device-UUID': z.uuid().optional().meta({ description: 'who watches, when nobody is signed in' }),
});

/** The OpenAPI 3.1 document of the routes, from the schemas that validate them. */
export function describeRoutes(routes: readonly Route[]): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  for (const route of routes) registry.registerPath(describeRoute(route));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Playbill', version: '1', description: INTRODUCTION },
    servers: [{ url: '/' }],
  });
}

const INTRODUCTION =
  'Money is a whole number of won; ids are strings; instants are RFC 3339 in UTC; days, weeks and months are of ' +
  'Asia/Seoul. Refusals are problem documents (RFC 9457) with a stable code.';

type RouteConfig = Parameters<OpenAPIRegistry['registerPath']>[0];

function describeRoute(route: Route): RouteConfig {
  const { params, query } = route.request ?? {};
  return {
    method: route.method,
    path: route.path,
    summary: route.summary,
    tags: [route.path.split('/')[2]!],
    description: WHO[route.auth],
    ...securityOf(route),
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query: query as z.ZodObject }),
      ...(route.takesDevice === true ? { headers: deviceHeader } : {}),
      ...bodyOf(route),
    },
    responses: { ...answersOf(route), ...refusalsOf(route) },
  };
}

const WHO = {
  anyone: 'For anyone.',
  user: 'For a signed-in user.',
  operator: 'For operators.',
  ingest: 'For a client whose token has the scope ingest.',
};

function securityOf({ auth, ignoresToken }: Route): Pick<RouteConfig, 'security'> {
  if (ignoresToken === true) return {};
  return { security: auth === 'anyone' ? [{}, { bearer: [] }] : [{ bearer: [] }] };
}

function bodyOf({ request }: Route): Pick<NonNullable<RouteConfig['request']>, 'body'> {
  if (request?.body === undefined) return {};
  const others = (request.bodyAlsoAs ?? []).map((type) => [type, { schema: z.string() }]);
  return {
    body: {
      required: request.bodyOptional !== true,
      content: { 'application/json': { schema: request.body }, ...Object.fromEntries(others) },
    },
  };
}

function answersOf({ responses }: Route): RouteConfig['responses'] {
  return Object.fromEntries(
    Object.entries(responses).map(([status, answer]) => [
      status,
      { description: answer.description, content: contentOf(answer) },
    ]),
  );
}

function contentOf({ body, alsoAs = [] }: Answer) {
  const own = body === undefined ? [] : [['application/json', { schema: body }]];
  return Object.fromEntries([...own, ...alsoAs.map((type) => [type, { schema: z.string() }])]);
}

/** Every refusal that a route can give: its own, and those that follow from who may call it and what it takes. */
export function codesOf(route: Route): ErrorCode[] {
  const { params, query, body } = route.request ?? {};
  const codes: ErrorCode[] = ['TOO_MANY_REQUESTS', 'UNAVAILABLE', ...(route.refusals ?? [])];
  if (route.ignoresToken !== true) codes.push('UNAUTHENTICATED');
  if (route.auth !== 'anyone' || route.takesDevice === true) codes.push('FORBIDDEN');
  if (params !== undefined || query !== undefined || body !== undefined) codes.push('INVALID');
  if (params !== undefined || route.method === 'post') codes.push('UNREADABLE');
  if (route.method === 'post') codes.push('BODY_TOO_LARGE');
  return [...new Set(codes)];
}

function refusalsOf(route: Route): RouteConfig['responses'] {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(route)) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      { description: codes.join(', '), content: { 'application/problem+json': { schema: problem } } },
    ]),
  );
}

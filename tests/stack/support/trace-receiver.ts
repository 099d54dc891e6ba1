import { createServer } from 'node:http';
import { LRUCache } from 'lru-cache';
import { closeServer } from './control-server.js';

/** A span as a test looks at it. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface TraceReceiver {
  close(): Promise<void>;
}

type Attributes = readonly { key: string; value: { stringValue?: string; intValue?: string | number } }[];

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

interface SentSpan {
  readonly traceId: string;
  readonly name: string;
  readonly attributes?: Attributes;
}

const TRACES_MAX = 20_000;

/**
 * Takes the spans of all services as long as the tests go on: exporters that find nobody wait, and lose what is new in the
 * meantime. `GET /<trace's id>` answers those of a trace.
 */
export async function startTraceReceiver(port: number): Promise<TraceReceiver> {
  const traces = new LRUCache<string, ReceivedSpan[]>({ max: TRACES_MAX });
  const server = createServer(async (req, res) => {
    if (req.method === 'GET') return void res.end(JSON.stringify(traces.get(req.url?.slice(1) ?? '') ?? []));
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    for (const [traceId, span] of spansOf(JSON.parse(Buffer.concat(chunks).toString()) as Export)) {
      const spans = traces.get(traceId);
      if (spans === undefined) traces.set(traceId, [span]);
      else spans.push(span);
    }
    res.end('{}');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return { close: () => closeServer(server) };
}

function spansOf({ resourceSpans }: Export): [traceId: string, ReceivedSpan][] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = textsOf(resource.attributes)['service.name'] ?? '';
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, name, attributes = [] }): [string, ReceivedSpan] => [
        traceId,
        { service, name, attributes: textsOf(attributes) },
      ]),
    );
  });
}

function textsOf(attributes: Attributes): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(value.stringValue ?? value.intValue)]));
}

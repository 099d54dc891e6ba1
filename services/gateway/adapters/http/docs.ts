import type { OpenApiDocument } from './openapi.js';

// biome-ignore lint/suspicious/noExplicitAny: parts of a document that is valid OpenAPI by its making
type Part = any;

/** A page for people, of the OpenAPI document; it loads its style from here and nothing from anywhere else. */
export function renderDocs(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Part>).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0] as string))];
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags[0] === tag);
    return `<section id="${tag}"><h2>${escapeHtml(tag)}</h2>${own.map(renderOperation).join('')}</section>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Playbill API</title><link rel="stylesheet" href="/docs/style.css"></head>
<body><header><h1>Playbill API</h1><p>${escapeHtml(document.info.description ?? '')}</p>
<p>For programs: <a href="/openapi.json">/openapi.json</a>.</p>
<nav>${tags.map((tag) => `<a href="#${tag}">${escapeHtml(tag)}</a>`).join(' ')}</nav></header>
<main>${sections.join('')}</main></body></html>`;
}

function renderOperation({ path, method, operation }: { path: string; method: string; operation: Part }): string {
  return `<details><summary><code><b>${method.toUpperCase()}</b> ${escapeHtml(path)}</code> ${escapeHtml(operation.summary)}</summary>
<p>${escapeHtml(operation.description)}</p>
${renderParameters(operation.parameters ?? [])}${renderBody(operation.requestBody)}${renderAnswers(operation.responses)}</details>`;
}

function renderParameters(parameters: Part[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map((parameter) => [
    `<code>${escapeHtml(parameter.name)}</code>`,
    escapeHtml(parameter.in),
    parameter.required === true ? 'required' : '',
    escapeHtml(parameter.description ?? parameter.schema?.description ?? ''),
  ]);
  return table(['parameter', 'in', '', ''], rows);
}

function renderBody(body: Part): string {
  if (body === undefined) return '';
  const [type, { schema }] = Object.entries(body.content)[0] as [string, Part];
  const others = Object.keys(body.content).slice(1);
  const also = others.length === 0 ? '' : `, or <code>${escapeHtml(others.join(', '))}</code>`;
  return `<h3>Body: <code>${escapeHtml(type)}</code>${also}</h3>${renderSchema(schema)}`;
}

function renderAnswers(responses: Record<string, Part>): string {
  const parts = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const types = Object.keys(content);
    const schema = status.startsWith('2') ? content['application/json']?.schema : undefined;
    const kinds = types.length === 0 ? '' : ` <small>${escapeHtml(types.join(', '))}</small>`;
    return `<dt>${status}</dt><dd>${escapeHtml(description)}${kinds}${schema === undefined ? '' : renderSchema(schema)}</dd>`;
  });
  return `<h3>Answers</h3><dl>${parts.join('')}</dl>`;
}

function renderSchema(schema: Part): string {
  return `<pre>${escapeHtml(describe(schema, ''))}</pre>`;
}

/** A schema as an example would look, with types in place of values. */
function describe(schema: Part, indent: string): string {
  const inner = `${indent}  `;
  if (schema.properties !== undefined) {
    const required: string[] = schema.required ?? [];
    const fields = Object.entries(schema.properties as Record<string, Part>).map(
      ([name, value]) => `${inner}${name}${required.includes(name) ? '' : '?'}: ${describe(value, inner)}`,
    );
    return `{\n${fields.join('\n')}\n${indent}}`;
  }
  if (schema.items !== undefined) return `[ ${describe(schema.items, indent)} ]`;
  if (schema.enum !== undefined) return schema.enum.map((value: unknown) => JSON.stringify(value)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const alternatives: Part[] | undefined = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return alternatives.map((one) => describe(one, indent)).join(' | ');
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any');
  const note = [schema.format, schema.description].filter((text) => text !== undefined).join(', ');
  return note === '' ? type : `${type} (${note})`;
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

export const DOCS_STYLE = `
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
nav a { margin-right: 1rem; }
details { border: 1px solid #8886; border-radius: .4rem; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
summary code { margin-right: .6rem; }
pre { background: #8882; padding: .6rem; border-radius: .4rem; overflow-x: auto; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
dt { font-weight: bold; }
`;

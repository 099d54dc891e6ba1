import { readFileSync } from 'node:fs';

/** Reads a file of test vectors. */
export function readFixture<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(new URL(`../../../fixtures/${name}.json`, import.meta.url), 'utf8')) as Shape;
}

import { fileURLToPath } from 'node:url';

const rootDir = fileURLToPath(new URL('..', import.meta.url));

/**
 * One Jest project per kind of test: `unit` needs nothing, `stack` runs against the real databases and sidecars, and
 * `kafka` is what of it depends on the broker, once more with Kafka (`npm run test:kafka`).
 */
const shared = {
  rootDir,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^#domain$': '<rootDir>/services/libs/domain/index.ts',
    '^#lib/(.*)$': '<rootDir>/services/libs/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
        module: { type: 'es6' },
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/.local/'],
};

export default {
  rootDir,
  // A test's own deadlines are shorter and say what was waited for.
  testTimeout: 120_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/tests/unit/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'stack',
      testMatch: ['<rootDir>/tests/stack/**/*.test.ts'],
      // Jest loads these two without its transforms.
      globalSetup: '<rootDir>/.local/build/tests/stack/support/global-setup.js',
      globalTeardown: '<rootDir>/.local/build/tests/stack/support/global-teardown.js',
    },
    {
      ...shared,
      displayName: 'kafka',
      testMatch: [
        '<rootDir>/tests/kafka/*.test.ts',
        '<rootDir>/tests/stack/{dead-letters,tracing,fallback,ingest}.test.ts',
      ],
      globalSetup: '<rootDir>/.local/build/tests/kafka/global-setup.js',
      globalTeardown: '<rootDir>/.local/build/tests/kafka/global-teardown.js',
    },
  ],
};

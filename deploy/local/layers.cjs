/** Which way imports may point. Inner layers know nothing of outer ones, and a service nothing of another's inside. */
const SERVICES = '^services/(?!libs/|ops/)([^/]+)/';

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'the-domain-is-pure',
      severity: 'error',
      from: { path: '^services/(libs/domain|[^/]+/domain)/' },
      to: { pathNot: '^services/(libs/domain|[^/]+/domain)/' },
    },
    {
      name: 'a-service-reaches-no-other-inside',
      severity: 'error',
      from: { path: SERVICES },
      to: { path: SERVICES, pathNot: '^services/$1/' },
    },
    {
      name: 'libraries-know-no-service',
      severity: 'error',
      from: { path: '^services/libs/' },
      to: { path: '^services/', pathNot: '^services/libs/' },
    },
    {
      name: 'libraries-are-entered-by-their-index',
      severity: 'error',
      from: { path: '^services/', pathNot: '^services/libs/([^/]+)/' },
      to: { path: '^services/libs/[^/]+/', pathNot: '^services/libs/[^/]+/index.ts$' },
    },
    {
      name: 'a-library-enters-another-by-its-index',
      severity: 'error',
      from: { path: '^services/libs/([^/]+)/' },
      to: { path: '^services/libs/', pathNot: ['^services/libs/$1/', '^services/libs/[^/]+/index.ts$'] },
    },
    {
      name: 'repositories-know-no-use-case',
      severity: 'error',
      from: { path: '^services/[^/]+/repositories/' },
      to: { path: '^services/[^/]+/(usecases|adapters)/' },
    },
    {
      name: 'use-cases-know-no-adapter',
      severity: 'error',
      from: { path: '^services/[^/]+/usecases/' },
      to: { path: '^services/[^/]+/adapters/' },
    },
    {
      name: 'production-knows-no-test',
      severity: 'error',
      from: { path: '^(services|deploy)/' },
      to: { path: '^tests/' },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules|\\.local)/' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { extensionAlias: { '.js': ['.ts', '.js'] } },
  },
};

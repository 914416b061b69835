// The import table of docs/ARCHITECTURE.md. A rule here is a promise: change the page and the rule together.
const only = (name, from, allowed, extra = {}) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: ['\\.test\\.ts$', ...(extra.fromNot ?? [])] },
  to: { path: '^(contract|server|importers|jobs|wecom-app|sandbox|bench|e2e|scripts|sim)/', pathNot: allowed },
})
const modules = [
  'company',
  'ledger',
  'catalog',
  'compliance',
  'risk',
  'merchant',
  'wallet',
  'card',
  'staff',
  'marketing',
  'recommend',
  'order',
  'campaign',
  'funding',
  'issuance',
  'delivery',
  'contact',
  'redemption',
  'gift',
  'webhook',
  'settlement',
  'refund',
  'reconciliation',
  'invoice',
  'analytics',
  'audit',
  'cardpack',
]
const leftOf = (name) => modules.slice(0, modules.indexOf(name))
const moduleRules = modules.flatMap((name) => [
  {
    name: `${name}-imports-left`,
    severity: 'error',
    from: { path: `^server/modules/${name}/`, pathNot: '\\.test\\.ts$' },
    to: {
      path: '^(contract|server|importers|jobs|wecom-app|sandbox|bench|e2e|scripts|sim)/',
      pathNot: [
        '^contract/',
        '^server/kernel/',
        '^server/channels/(ports|wechatpay-port)\\.ts$',
        `^server/modules/${name}/`,
        ...leftOf(name).map((left) => `^server/modules/${left}/(?!tables\\.ts|endpoints\\.ts)`),
      ],
    },
  },
])
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only('contract-is-a-leaf', '^contract/', ['^contract/']),
    only('kernel', '^server/kernel/', [
      '^contract/',
      '^server/kernel/',
      '^server/channels/(ports|wechatpay-port)\\.ts$',
    ]),
    only('db', '^server/db/', ['^contract/', '^server/kernel/', '^server/db/', '^server/modules/[^/]+/tables\\.ts$']),
    only('channels', '^server/channels/([^/]+)/', [
      '^contract/',
      '^server/kernel/',
      '^server/channels/(ports|wechatpay-port)\\.ts$',
      '^server/channels/$1/',
    ]),
    only('importers', '^importers/', ['^contract/', '^importers/']),
    only('sandbox', '^sandbox/', ['^contract/', '^sandbox/']),
    only('wecom-app', '^wecom-app/', ['^contract/', '^wecom-app/']),
    only('jobs', '^jobs/', [
      '^contract/',
      '^server/kernel/',
      '^importers/',
      '^jobs/',
      '^server/app\\.ts$',
      '^server/modules/[^/]+/(?!tables\\.ts|endpoints\\.ts)',
    ]),
    only('server-root-composes', '^server/[^/]+\\.ts$', [
      '^(contract|importers|jobs|sandbox)/',
      '^server/(?!testing/)',
    ]),
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: {
        path: '^(contract|server|importers|jobs|sandbox|wecom-app)/',
        pathNot: ['\\.test\\.ts$', '^server/testing/'],
      },
      to: { path: '^server/testing/' },
    },
    {
      name: 'tables-and-endpoints-are-private',
      severity: 'error',
      from: { path: '^(bench|e2e|scripts|sim)/', pathNot: '\\.test\\.ts$' },
      to: { path: '/(tables|endpoints)\\.ts$' },
    },
    ...moduleRules,
  ],
  options: {
    exclude: { path: '^wecom-app/dist/' },
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.json'] },
  },
}

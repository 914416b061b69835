import { Counter, Histogram, Registry } from 'prom-client'

export interface HttpMetrics {
  readonly registry: Registry
  record(method: string, route: string, status: number, seconds: number): void
}

/** Request counts and durations by route pattern, never by address, so that no id becomes a label. */
export function createHttpMetrics(registry: Registry = new Registry()): HttpMetrics {
  const labelNames = ['method', 'route', 'status'] as const
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests by route',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  const count = new Counter({ name: 'http_requests_total', help: 'HTTP requests', labelNames, registers: [registry] })
  // By name once, not with each request; there are as many as routes times what they answer.
  const known = new Map<string, { seconds: Histogram.Internal<string>; count: Counter.Internal }>()
  return {
    registry,
    record(method, route, status, duration) {
      const name = `${method} ${status} ${route}`
      let series = known.get(name)
      if (series === undefined) {
        const labels = { method, route, status: String(status) }
        known.set(name, (series = { seconds: seconds.labels(labels), count: count.labels(labels) }))
      }
      series.seconds.observe(duration)
      series.count.inc()
    },
  }
}

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { isOngoing } from '@kawal/core/detection/disturbance.ts'
import type { Monitor } from './detection/monitor.ts'
import type { Feed } from './live/feed.ts'

/** What `/metrics` tells. */
export function startMetrics(feed: Feed, monitor: Monitor) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const reports = new Counter({ name: 'kawal_reports_total', help: 'Samples kept on disk', registers: [registry] })
  const quarantined = new Counter({ name: 'kawal_quarantined_total', help: 'Samples put into quarantine, by reason', labelNames: ['code'], registers: [registry] })
  const open = (): LiveDisturbance[] => monitor.found().filter((row) => isOngoing(row.stage) && row.foundAt !== null)
  new Gauge({ name: 'kawal_disturbances_open', help: 'Disturbances open now', registers: [registry], collect() { this.set(open().length) } })
  new Gauge({ name: 'kawal_devices_on_duty', help: 'Devices whose promise of a report stands', registers: [registry], collect() { this.set(monitor.devicesOnDuty()) } })
  new Gauge({ name: 'kawal_detection_lag_seconds', help: 'The longest that a report waited from its arrival until detection had it, since this was last read', registers: [registry], collect() { this.set(monitor.lag_s()) } })
  new Gauge({ name: 'kawal_feed_clients', help: 'Consoles that follow the live feed', registers: [registry], collect() { this.set(feed.clients()) } })
  const tests = new Counter({ name: 'kawal_full_tests_total', help: 'Full tests (ndt7), by direction and by what ended them', labelNames: ['direction', 'end'], registers: [registry] })
  return { registry, reports, quarantined, tests }
}

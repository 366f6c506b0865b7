import { parseArgs } from 'node:util'
import { runDay } from './day.ts'
import { tableOf } from './table.ts'

/** `node bench/detect/probe.ts --province 64 --seed 3 --faults 30`: a part of the nation in seconds, with its table. */
const { values } = parseArgs({
  options: {
    province: { type: 'string', default: '' }, seed: { type: 'string', default: '1' }, days: { type: 'string', default: '1' }, hours: { type: 'string', default: '17' }, faults: { type: 'string', default: '30' },
    servers: { type: 'string', default: '2' }, intake: { type: 'string', default: '1' }, duty: { type: 'string', default: '0.2' }, broken: { type: 'string', default: '0.06' }, list: { type: 'boolean', default: false },
    naive: { type: 'boolean', default: false }, quiet: { type: 'boolean', default: false },
  },
})
const results = Array.from({ length: Number(values.days) }, (_, day) => runDay({
  seed: Number(values.seed) + day, provinces: values.province.split(',').filter((code) => code !== ''), hours: Number(values.hours), faults: Number(values.faults),
  serverFailures: Number(values.servers), ingestFailures: Number(values.intake), onDutyShare: Number(values.duty), brokenShare: Number(values.broken),
}, (text) => void (values.quiet || process.stderr.write(`${text}\n`))))
for (const { plan, devices, reports, detector_s, all_s, rss_mb } of results)
  process.stdout.write(`seed ${plan.seed}: ${devices} devices, ${reports} reports, detector ${detector_s.toFixed(1)} s (${Math.round(reports / detector_s)} a second), all ${all_s.toFixed(1)} s, ${Math.round(rss_mb)} MB\n`)
process.stdout.write(`${tableOf(results, ({ ours, naive }) => (values.naive ? naive : ours))}\n`)
if (values.list) for (const { plan, told, wrong } of results) process.stdout.write(`${[...told, ...wrong.map((text) => `false: ${text}`)].map((text) => `seed ${plan.seed} ${text}`).join('\n')}\n`)

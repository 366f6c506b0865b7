import { Pool } from 'undici'
import type { Enrolled, ReportReceipt } from '@kawal/contract/report.ts'
import type { OfficerReport } from '@kawal/core/rehearsal/officers.ts'
import { stationCode } from '../measurement/enrolment.ts'

const connections = 24

interface Batch { readonly device: string; readonly station: string; readonly sentAt: string; readonly samples: unknown[] }

/** The phones' side of the wire: every device enrols and reports by requests of its own. */
interface Phones {
  /** @param now when they are sent: each phone tells it by its own clock */
  send(reports: readonly OfficerReport[], now: number): Promise<{ accepted: number; duplicates: number; quarantined: number }>
  stop(): Promise<void>
}

/**
 * Enrols each device with its station's code, as an officer does. Devices enrol when they first
 * report, in the order of the reports.
 */
export function startPhones(api: string, secret: Buffer): Phones {
  const pool = new Pool(api, { connections, pipelining: 1 })
  const tokens = new Map<string, string>()

  async function enrol(device: string, station: string): Promise<void> {
    const { statusCode, body } = await pool.request({
      path: '/v1/devices', method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ station, code: stationCode(secret, station) }),
    })
    if (statusCode !== 201) throw new Error(`enrolment at ${station} was answered ${statusCode}: ${await body.text()}`)
    tokens.set(device, ((await body.json()) as Enrolled).token)
  }

  async function report(one: Batch): Promise<ReportReceipt> {
    const { statusCode, body } = await pool.request({
      path: '/v1/reports', method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens.get(one.device)}` },
      body: JSON.stringify({ station: one.station, sentAt: one.sentAt, samples: one.samples }),
    })
    if (statusCode !== 202) throw new Error(`a report from ${one.station} was answered ${statusCode}: ${await body.text()}`)
    return (await body.json()) as ReportReceipt
  }

  return {
    async send(reports, now) {
      const batches = new Map<string, Batch>()
      for (const each of reports) {
        const batch = batches.get(each.device)
        if (batch === undefined) batches.set(each.device, { device: each.device, station: each.station, sentAt: new Date(now + each.clockAhead_ms).toISOString(), samples: [each.sample] })
        else batch.samples.push(each.sample)
      }
      const fresh = [...batches.values()].filter((batch) => !tokens.has(batch.device))
      await inParallel(fresh, (batch) => enrol(batch.device, batch.station))
      const total = { accepted: 0, duplicates: 0, quarantined: 0 }
      await inParallel([...batches.values()], async (batch) => {
        const receipt = await report(batch)
        total.accepted += receipt.accepted
        total.duplicates += receipt.duplicates
        total.quarantined += receipt.quarantined.length
      })
      return total
    },
    stop: () => pool.close(),
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: connections * 2 }, lane))
}

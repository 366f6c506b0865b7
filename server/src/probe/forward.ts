import type { ReportReceipt } from '@kawal/contract/report.ts'
import { basePath } from './check.ts'
import type { Answer, Line } from './line.ts'
import type { Store, Waiting } from './store.ts'

type Forwarded =
  | { readonly outcome: 'all' | 'some'; readonly sent: number }
  /** The token is not taken: enrol again. */
  | { readonly outcome: 'unknown'; readonly sent: number }
  | { readonly outcome: 'later'; readonly sent: number; readonly detail: string; readonly after_s: number | null }

const batch_max = 50
/** In one go; what is left then goes at the next. */
const batches_max = 60

/**
 * Sends what waits, oldest first. Nothing leaves the store before the receipt for it is there: sent again, the
 * platform knows it by device and sequence. What is put into quarantine is laid aside with the reason.
 */
export async function forward(url: URL, line: Line, store: Store, token: string, clock: () => number): Promise<Forwarded> {
  let [sent, size] = [0, batch_max]
  for (let batches = 0; batches < batches_max; batches++) {
    const batch = store.waiting().slice(0, size)
    if (batch.length === 0) return { outcome: 'all', sent }
    let answer: Answer
    try {
      const body = JSON.stringify({ station: store.state().station, sentAt: new Date(clock()).toISOString(), samples: batch.map(({ sample }) => sample) })
      answer = await line.ask({ method: 'POST', path: `${basePath(url)}/v1/reports`, headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` }, body, within_ms: 30_000 })
    } catch (error) {
      return { outcome: 'later', sent, detail: (error as Error).message, after_s: null }
    }
    if (answer.status === 401 || answer.status === 403) return { outcome: 'unknown', sent }
    if (answer.status === 413 && size > 1) {
      size = Math.ceil(size / 2)
      continue
    }
    const receipt = answer.status === 202 ? readReceipt(answer.body, batch.length) : null
    if (receipt === null) return { outcome: 'later', sent, detail: `the platform answered HTTP ${answer.status}`, after_s: Number(answer.headers['retry-after']) || null }
    sent += settle(store, batch, receipt)
  }
  return { outcome: 'some', sent }
}

function settle(store: Store, batch: readonly Waiting[], receipt: ReportReceipt): number {
  const bad = new Map(receipt.quarantined.map(({ index, code, detail }) => [index, `${code}: ${detail}`]))
  for (const [index, { sequence }] of batch.entries()) {
    const reason = bad.get(index)
    if (reason !== undefined) store.refused(sequence, reason)
  }
  store.delivered(batch.filter((_, index) => !bad.has(index)).map(({ sequence }) => sequence))
  store.change({ nextInterval_s: receipt.nextIntervalS, ...(receipt.checkWanted === true ? { checkWanted: true } : {}) })
  return batch.length - bad.size
}

/** A page of something in between is no receipt, whatever its status; nor is one that accounts for other samples than were sent. */
function readReceipt(body: Buffer, samples: number): ReportReceipt | null {
  try {
    const read = JSON.parse(body.toString('utf8')) as ReportReceipt
    return Array.isArray(read.quarantined) && read.accepted + read.duplicates + read.quarantined.length === samples && read.nextIntervalS > 0 ? read : null
  } catch {
    return null
  }
}

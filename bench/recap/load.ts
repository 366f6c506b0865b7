import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import type { Sender } from './world.ts'

interface Handed {
  /** ms from the first byte out to the last of the receipt in, of each record that was acknowledged. */
  readonly latency_ms: readonly number[]
  /** Each record with its receipt. */
  readonly receipts: readonly { readonly record: Buffer; readonly receipt: string }[]
  /** Anything but a receipt, by status; 0 for a line that broke. */
  readonly refused: ReadonlyMap<number, number>
  readonly seconds: number
}

/** Hands in every record of every sender, at this rate a second, whatever the answers: who is late is counted from when it should have gone. */
export async function handIn(port: number, senders: readonly Sender[], rate: number): Promise<Handed> {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 })
  const latency_ms: number[] = []
  const receipts: { record: Buffer; receipt: string }[] = []
  const refused = new Map<number, number>()
  const all = senders.flatMap(({ token, records }) => records.map((record) => ({ token, record })))
  const began = performance.now()
  const running: Promise<void>[] = []
  for (let next = 0; next < all.length;) {
    const due = Math.min(all.length, Math.floor(((performance.now() - began) * rate) / 1000) + 1)
    for (; next < due; next++) {
      const { token, record } = all[next] as (typeof all)[number]
      const should = began + (next * 1000) / rate
      running.push(post(agent, port, token, record).then(({ status, text }) => {
        if (status === 201 || status === 200) {
          latency_ms.push(performance.now() - should)
          receipts.push({ record, receipt: text })
        } else refused.set(status, (refused.get(status) ?? 0) + 1)
      }))
    }
    await pause(2)
  }
  await Promise.all(running)
  agent.destroy()
  return { latency_ms, receipts, refused, seconds: (performance.now() - began) / 1000 }
}

function post(agent: Agent, port: number, token: string, record: Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const sending = request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/v1/recaps', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type, 'content-length': record.length } }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString() }))
    })
    sending.on('error', () => resolve({ status: 0, text: '' })).end(record)
  })
}

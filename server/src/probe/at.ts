import type { Duplex } from 'node:stream'
import { parseCesq, parseCops, parseCsq, parseRegistration, type Censored, type Technology } from '@kawal/core/measurement/radio.ts'
import { readRadio, type RadioReading } from '@kawal/core/measurement/radio-reading.ts'

/** What one command came to: what the modem said, an error of its own, silence, or a line that is gone. */
type Reply = { readonly outcome: 'ok' | 'error'; readonly text: string } | { readonly outcome: 'silent' | 'gone' }

/** A modem that sends without end is cut off here. */
const reply_bytes_max = 8_192

/**
 * Asks a modem on a serial line. One command after the other; an answer ends with a final result code (ITU-T V.250
 * 5.7.1, 3GPP TS 27.007 9.2) or when the time is up. What comes late is thrown away before the next command.
 */
export function createAt(stream: Duplex): { ask(command: string, ms: number): Promise<Reply> } {
  let held = ''
  let told: ((reply: Reply) => void) | null = null
  let gone = false
  const end = (reply: Reply): void => {
    const tell = told
    told = null
    tell?.(reply)
  }
  stream.on('data', (part: Buffer) => {
    if (told === null) return
    held = (held + part.toString('latin1')).slice(-reply_bytes_max)
    const final = /(?:^|[\r\n])(OK|ERROR|\+CM[ES] ERROR:[^\r\n]*|COMMAND NOT SUPPORT)\s*[\r\n]/.exec(held)
    if (final !== null) end({ outcome: final[1] === 'OK' ? 'ok' : 'error', text: held })
  })
  for (const event of ['end', 'close', 'error']) stream.once(event, () => {
    gone = true
    end({ outcome: 'gone' })
  })
  return {
    ask(command, ms) {
      if (gone || stream.destroyed) return Promise.resolve({ outcome: 'gone' })
      return new Promise((resolve) => {
        held = ''
        const timer = setTimeout(() => end({ outcome: 'silent' }), ms)
        told = (reply) => {
          clearTimeout(timer)
          resolve(reply)
        }
        stream.write(`${command}\r`)
      })
    },
  }
}

/** 27.007 lets most of these take seconds on a busy modem. */
const answer_ms_max = 3_000

/**
 * One reading. It asks for nothing that names the subscriber or the handset: not +CIMI, +CGSN, +CNUM, +CCID. So the
 * SIM's own operator is not known; the network's is.
 */
export async function readAt(stream: Duplex, now: () => number, answer_ms = answer_ms_max): Promise<RadioReading> {
  const { ask } = createAt(stream)
  let silent = false
  const text = async (command: string): Promise<string> => {
    const reply: Reply = silent ? { outcome: 'silent' } : await ask(command, answer_ms)
    // a modem that has fallen silent is not waited for a dozen times
    if (reply.outcome === 'silent' || reply.outcome === 'gone') silent = true
    return reply.outcome === 'ok' ? reply.text : ''
  }
  const first = await ask('ATE0', answer_ms)
  if (first.outcome === 'silent' || first.outcome === 'gone') return reading(now(), [], 'no_answer')
  const sim = await ask('AT+CPIN?', answer_ms)
  if (sim.outcome === 'error' && /SIM not inserted|CME ERROR: 10\b/i.test(sim.text)) return reading(now(), [], 'no_sim')
  await text('AT+COPS=3,2')
  const cops = parseCops(await text('AT+COPS?'))
  const registered = await registrationOf(text)
  const cesq = parseCesq(await text('AT+CESQ'))
  const csq = parseCsq(await text('AT+CSQ'))
  const technology: Technology | null = registered?.technology ?? cops?.technology ?? guess(cesq)
  if (technology === null || (cesq === null && csq === null)) return reading(now(), [], csq === null && cesq === null ? 'no_answer' : null)
  const nr = technology === 'nr'
  const names = { rsrpDbm: nr ? 'ssRsrpDbm' : 'rsrpDbm', rsrqDb: nr ? 'ssRsrqDb' : 'rsrqDb', sinrDb: 'ssSinrDb', rscpDbm: 'rscpDbm', ecioDb: 'ecioDb' } as const
  const ends: Record<string, 'below' | 'above' | undefined> = cesq?.censored ?? {}
  const rxlev = technology === 'gsm' && cesq?.rssiDbm !== null ? cesq : null
  const rssi: { rssiDbm: number | null; censored: Censored<'rssiDbm'> } | null = rxlev === null ? csq : { rssiDbm: rxlev.rssiDbm, censored: rxlev.censored }
  const area = registered?.area ?? null
  const cell = {
    registered: registered?.registered ?? (cops?.plmn == null ? null : true), secondary: false, technology,
    rsrpDbm: cesq?.[names.rsrpDbm] ?? null, rsrqDb: cesq?.[names.rsrqDb] ?? null, sinrDb: nr ? (cesq?.ssSinrDb ?? null) : null, rscpDbm: cesq?.rscpDbm ?? null, ecioDb: cesq?.ecioDb ?? null, rssiDbm: rssi?.rssiDbm ?? null,
    tac: technology === 'lte' || nr ? area : null, lac: technology === 'lte' || nr ? null : area, cellId: registered?.cellId ?? null, pci: null, channel: null, ageMs: 0,
    censored: { ...Object.fromEntries(Object.entries(names).flatMap(([name, from]) => (ends[from] === undefined ? [] : [[name, ends[from]]]))), ...rssi?.censored },
  }
  return reading(now(), [{ slot: 0, dataSim: true, plmn: cops?.plmn ?? null, simPlmn: null, cells: [cell] }], null)
}

/** The newest kind of network that the modem is registered in. A command that it does not know is an error, and no harm. */
async function registrationOf(text: (command: string) => Promise<string>): Promise<ReturnType<typeof parseRegistration>> {
  for (const command of ['C5GREG', 'CEREG', 'CGREG', 'CREG']) {
    await text(`AT+${command}=2`)
    const read = parseRegistration(await text(`AT+${command}?`))
    if (read?.registered === true) return read
  }
  return null
}

function guess(cesq: ReturnType<typeof parseCesq>): Technology | null {
  if (cesq === null) return null
  return cesq.ssRsrpDbm !== null ? 'nr' : cesq.rsrpDbm !== null ? 'lte' : cesq.rscpDbm !== null ? 'umts' : cesq.rssiDbm !== null ? 'gsm' : null
}

function reading(now: number, slots: unknown[], gap: RadioReading['gap']): RadioReading {
  const read = readRadio({ readAt: new Date(now).toISOString(), source: 'at', platform: null, airplane: null, mockLocation: null, gap, slots })
  if (!read.ok) throw new Error(read.error)
  return read.value
}

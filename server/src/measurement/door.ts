import { Compile } from 'typebox/compile'
import { compact_type, decodeBatch, encodeReceipt } from '@kawal/contract/compact.ts'
import { Timestamp, type ReportReceipt } from '@kawal/contract/report.ts'
import { pauseOf, ProblemError, problemOf } from '../problem.ts'
import { tokenReader, type Device } from './enrolment.ts'
import { overloaded, request_samples_max as samples_max, type Ingest } from './ingest.ts'
import { makeBatch } from './measured.ts'
import { createCompactReader } from './read-compact.ts'
import { clockOffset, isClockAhead, sort, type Arrival } from './sort.ts'

export interface DoorNeeds {
  readonly secret: Buffer
  /** ms since 1970. */
  readonly clock: () => number
  readonly ingest: Pick<Ingest, 'submit' | 'isCrowded'>
  /** Source address to organisation. */
  readonly networkOperator: (address: string) => string | null
  /** Who asks, where proxies stand in front. */
  readonly addressOf: (remote: string, forwarded: string | undefined) => string
  /** Told of what is our fault, with the reference that the phone was given. */
  readonly failed: (error: unknown, reference: string) => void
}

/** The head of a request, as far as it matters. */
export interface Asked {
  readonly authorization: string | undefined
  readonly type: string | undefined
  /** Bytes of the body as announced; NaN where they are not. */
  readonly length: number
  readonly remote: string
  readonly forwarded: string | undefined
}

/** Sends an answer. The body is in Latin-1, whatever it is, so that it goes out with the head in one write. `closing`: the connection is of no use any more. */
export type Reply = (status: number, type: string, body: string, pause_s: number | undefined, closing: boolean) => void

/** A request whose body may come. */
export interface Admitted { readonly device: Device; readonly form: Form; readonly networkOperator: string | null }

export const body_bytes_max = 1_000_000
const json_type = 'application/json'
const answer_types = { json: 'application/json; charset=utf-8', compact: compact_type } as const
const checkInstant = Compile(Timestamp)
/** Receipts of a batch in which all was new: by far the most, and few differ. */
const receipts_max = 2_000

type Form = 'json' | 'compact'

/** Answers `POST /v1/reports`, however its head and body were read. In JSON or the compact form, answered in the same. */
export function createDoor(needs: DoorNeeds) {
  const readToken = tokenReader(needs.secret)
  const read = batchReader(needs)
  const encode = receiptEncoder()
  let faults = 0

  function refuse(reply: Reply, error: unknown, closing = false): void {
    const reference = `report-${++faults}`
    const found = problemOf(error instanceof Error ? error : new Error(String(error)), reference)
    if (found.status >= 500) needs.failed(error, reference)
    reply(found.status, 'application/problem+json; charset=utf-8', latin1(JSON.stringify(found)), pauseOf(error, found), closing)
  }
  return {
    /** Who it is comes before the body: nobody else's is read. @returns null when it was refused */
    admit(asked: Asked, reply: Reply): Admitted | null {
      const { authorization = '' } = asked
      const device = readToken(authorization.startsWith('Bearer ') ? authorization.slice(7) : authorization)
      const form = formOf(asked.type)
      if (device === null) refuse(reply, new ProblemError('device_unknown', 'Enrol this device with the code of its station: POST /v1/devices.'))
      else if (form === null) refuse(reply, new ProblemError('body_invalid', `Send ${json_type} or ${compact_type}, not ${asked.type ?? 'a body without a type'}.`))
      else if (asked.length > body_bytes_max) this.tooLarge(reply)
      else return { device, form, networkOperator: needs.networkOperator(needs.addressOf(asked.remote, asked.forwarded)) }
      return null
    },
    tooLarge: (reply: Reply): void => refuse(reply, new ProblemError('too_large', 'Send fewer samples in one request: at most 1,000,000 bytes.'), true),
    /** Takes in a body that has come as a whole; its bytes are not looked at any more afterwards. */
    take({ device, form, networkOperator }: Admitted, body: Buffer, reply: Reply): void {
      // To read what is turned away would take the time of those who are not: of 425,000 samples a second 78,000 were left.
      if (needs.ingest.isCrowded()) return refuse(reply, overloaded)
      try {
        const { batch, quarantined, arrival } = read(device, form, body)
        needs.ingest.submit({ device, batch, quarantined, arrival, networkOperator }, (receipt, error) => {
          if (receipt === null) refuse(reply, error)
          else reply(202, answer_types[form], encode(form, receipt), undefined, false)
        })
      } catch (error) {
        refuse(reply, error)
      }
    },
  }
}

export type Door = ReturnType<typeof createDoor>

const latin1 = (text: string | Uint8Array): string => Buffer.from(text as string).toString('latin1')

function formOf(type: string | undefined): Form | null {
  if (type === json_type) return 'json'
  if (type === compact_type) return 'compact'
  const plain = type?.split(';')[0]?.trim().toLowerCase()
  return plain === json_type ? 'json' : plain === compact_type ? 'compact' : null
}

/** Reads a body into one batch that is used again. @throws ProblemError */
function batchReader({ clock }: DoorNeeds) {
  const batch = makeBatch()
  const compact = createCompactReader()
  const arrival = { receivedAt: 0, sentAt: null as number | null }
  const isAhead = ({ sentAt }: { sentAt: number | null }, { eventAt }: { eventAt: number }): boolean => isClockAhead(eventAt, clockOffset({ receivedAt: arrival.receivedAt, sentAt }), arrival.receivedAt)

  return (device: Device, form: Form, body: Buffer): { batch: typeof batch; quarantined: ReturnType<typeof sort>; arrival: Arrival } => {
    arrival.receivedAt = Math.floor(clock())
    if (form === 'compact') {
      const head = compact.read(body, batch, isAhead)
      if (head !== null) {
        if (Number(device.station) !== head.station) refuseMoved(device)
        arrival.sentAt = head.sentAt
        return { batch, quarantined: [], arrival }
      }
    }
    const { station, sentAt, samples } = form === 'compact' ? readCompact(body) : readJson(body)
    if (device.station !== station) refuseMoved(device)
    // A leap second has the form of a time and is no instant: nothing is corrected by it.
    arrival.sentAt = sentAt === undefined || !Number.isFinite(Date.parse(sentAt)) ? null : Date.parse(sentAt)
    return { batch, quarantined: sort(samples, arrival, batch), arrival }
  }
}

interface ReadBody { readonly station: string; readonly sentAt?: string; readonly samples: readonly unknown[] }

function readCompact(body: Buffer): ReadBody {
  const read = decodeBatch(body)
  if (!read.ok) throw new ProblemError('body_invalid', read.error)
  return counted(read.value)
}

function readJson(body: Buffer): ReadBody {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new ProblemError('body_invalid', `Expected JSON, got a text that is not: ${(error as Error).message.slice(0, 200)}.`)
  }
  const { station, sentAt, samples } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  if (typeof station !== 'string' || !/^[0-9]{13}$/.test(station)) throw new ProblemError('body_invalid', 'Expected an object whose station is a text of 13 digits.')
  if (sentAt !== undefined && !checkInstant.Check(sentAt)) throw new ProblemError('body_invalid', 'Expected sentAt as RFC 3339 has it, as 2029-02-14T02:00:21.000Z, or none.')
  if (!Array.isArray(samples)) throw new ProblemError('body_invalid', `Expected samples as a list of 1 to ${samples_max}.`)
  return counted({ station, ...(sentAt === undefined ? {} : { sentAt: sentAt as string }), samples: samples as unknown[] })
}

function counted(body: ReadBody): ReadBody {
  if (body.samples.length >= 1 && body.samples.length <= samples_max) return body
  throw new ProblemError('body_invalid', `Expected 1 to ${samples_max} samples, got ${body.samples.length}.`)
}

function refuseMoved(device: Device): never {
  throw new ProblemError('not_allowed', `This device belongs to station ${device.station}. Enrol it again to move it.`)
}

function receiptEncoder(): (form: Form, receipt: ReportReceipt) => string {
  let known = { json: new Map<number, string>(), compact: new Map<number, string>() }
  const fresh = (form: Form, receipt: ReportReceipt): string => latin1(form === 'json' ? JSON.stringify(receipt) : encodeReceipt(receipt))
  return (form, receipt) => {
    if (receipt.duplicates > 0 || receipt.quarantined.length > 0 || receipt.checkWanted === true) return fresh(form, receipt)
    const name = receipt.nextIntervalS * 1_000 + receipt.accepted
    let bytes = known[form].get(name)
    if (bytes !== undefined) return bytes
    if (known[form].size >= receipts_max) known = { json: new Map(), compact: new Map() }
    known[form].set(name, (bytes = fresh(form, receipt)))
    return bytes
  }
}

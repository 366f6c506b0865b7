import type { Enrolled, ReportReceipt, Sample } from '@kawal/contract/report.ts'

/**
 * The phone's own store. A sample is on the phone's disk before anything is sent, and stays until
 * the server's receipt for it is in; IndexedDB is asked for strict durability each time.
 */
export interface Kept {
  readonly sequence: number
  readonly sample: Sample
  readonly state: 'waiting' | 'sent' | 'refused'
  readonly sentAt: string | null
  readonly reason: string | null
}

export type Identity = Enrolled & { sim: string | null; interval_ms?: number }

const shown_max = 30
const batch_max = 50
let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('sigmon', 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('about')
      request.result.createObjectStore('samples', { keyPath: 'sequence' }).createIndex('state', 'state')
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  return opened
}

/** One transaction; it resolves when the transaction is complete, with what `work` left in `result`. */
async function transact<T>(mode: IDBTransactionMode, work: (about: IDBObjectStore, samples: IDBObjectStore, done: (value: T) => void) => void): Promise<T> {
  const database = await open()
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(['about', 'samples'], mode, { durability: 'strict' })
    let result: T
    transaction.oncomplete = () => resolve(result)
    transaction.onerror = () => reject(transaction.error)
    transaction.onabort = () => reject(transaction.error)
    work(transaction.objectStore('about'), transaction.objectStore('samples'), (value) => (result = value))
  })
}

export function readIdentity(): Promise<Identity | null> {
  return transact('readonly', (about, _, done) => {
    about.get('identity').onsuccess = (event) => done(((event.target as IDBRequest<Identity | undefined>).result) ?? null)
  })
}

export function keepIdentity(identity: Identity): Promise<void> {
  return transact('readwrite', (about) => void about.put(identity, 'identity'))
}

/** Gives the sample its number and stores it, in one transaction: no number is used twice. */
export function keep(sample: Omit<Sample, 'sequence'>): Promise<number> {
  return transact('readwrite', (about, samples, done) => {
    about.get('sequence').onsuccess = (event) => {
      const sequence = ((event.target as IDBRequest<number | undefined>).result ?? 0) + 1
      about.put(sequence, 'sequence')
      samples.put({ sequence, sample: { ...sample, sequence }, state: 'waiting', sentAt: null, reason: null } satisfies Kept)
      done(sequence)
    }
  })
}

/** The newest samples first, and how many there are of each state. */
export function list(): Promise<{ newest: Kept[]; counts: Record<Kept['state'], number> }> {
  return transact('readonly', (_, samples, done) => {
    const result = { newest: [] as Kept[], counts: { waiting: 0, sent: 0, refused: 0 } }
    samples.openCursor(null, 'prev').onsuccess = (event) => {
      const cursor = (event.target as IDBRequest<IDBCursorWithValue | null>).result
      if (cursor === null) return done(result)
      const kept = cursor.value as Kept
      result.counts[kept.state]++
      if (result.newest.length < shown_max) result.newest.push(kept)
      cursor.continue()
    }
  })
}

function waiting(): Promise<Kept[]> {
  return transact('readonly', (_, samples, done) => {
    samples.index('state').getAll('waiting', batch_max).onsuccess = (event) => done((event.target as IDBRequest<Kept[]>).result)
  })
}

function mark(batch: readonly Kept[], receipt: ReportReceipt, at: string): Promise<void> {
  return transact('readwrite', (_, samples) => {
    batch.forEach((kept, index) => {
      const bad = receipt.quarantined.find((each) => each.index === index)
      samples.put({ ...kept, state: bad === undefined ? 'sent' : 'refused', sentAt: at, reason: bad?.detail ?? null })
    })
  })
}

/** `interval_s` is how often the server wants a report from now on; null when nothing was sent. */
type Sent = { readonly ok: true; readonly more: boolean; readonly interval_s: number | null } | { readonly ok: false; readonly retryAfterS: number; readonly status: number }

/** Sends one batch. Nothing changes state before its 202 is here. */
export async function sendOnce(identity: Identity): Promise<Sent> {
  const batch = await waiting()
  if (batch.length === 0) return { ok: true, more: false, interval_s: null }
  let answer: Response
  try {
    answer = await fetch('/v1/reports', {
      method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${identity.token}` },
      body: JSON.stringify({ station: identity.station.code, sentAt: new Date().toISOString(), samples: batch.map((kept) => kept.sample) }), signal: AbortSignal.timeout(30_000), keepalive: batch.length <= 20,
    })
  } catch {
    return { ok: false, retryAfterS: 0, status: 0 }
  }
  if (answer.status !== 202) return { ok: false, retryAfterS: Number(answer.headers.get('retry-after') ?? 0), status: answer.status }
  const receipt = (await answer.json()) as ReportReceipt
  await mark(batch, receipt, answer.headers.get('date') ?? new Date().toUTCString())
  return { ok: true, more: batch.length === batch_max, interval_s: receipt.nextIntervalS }
}

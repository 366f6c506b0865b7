import { verify, type KeyObject } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { readEnvelope, signedBytes, type Envelope } from '@kawal/core/recap/cose.ts'
import { keyOf } from '../recap/keys.ts'
import { kidIn, type RecordCounts, type RecordTask } from './records.ts'

type Key = RecordTask['keys'][number]

const held = new Map<string, Key[]>()
/** Records that came before the key that they name: a phone may be enrolled by its letter long before the platform hears of it. */
const early = new Map<string, RecordTask['records'][number][]>()
const parsed = new Map<Key, KeyObject | null>()
const parsed_max = 10_000
let [signed, unknown] = [0, 0]
/** More are not told one by one. */
const wrong_max = 100
const wrong: number[] = []

parentPort?.on('message', ({ id, keys, records }: RecordTask) => {
  for (const key of keys) {
    held.set(key.kid, [...(held.get(key.kid) ?? []), key])
    const waited = early.get(key.kid) ?? []
    early.delete(key.kid)
    unknown -= waited.length
    for (const record of waited) look(record)
  }
  for (const record of records) look(record)
  parentPort?.postMessage({ id, counts: { signed, unknown, wrong: [...wrong] } satisfies RecordCounts })
})

function look(record: RecordTask['records'][number]): void {
  const envelope = readEnvelope(record.envelope)
  const kid = kidIn(record.envelope)
  const keys = held.get(kid)
  if (!envelope.ok) isWrong(record.index)
  else if (keys === undefined) {
    unknown++
    const waiting = early.get(kid)
    if (waiting === undefined) early.set(kid, [record])
    else waiting.push(record)
  } else if (keys.some((key) => isSignedBy(envelope.value, key))) signed++
  else isWrong(record.index)
}

const isWrong = (index: number): void => void (wrong.length < wrong_max && wrong.push(index))

function isSignedBy(envelope: Envelope, key: Key): boolean {
  const object = objectOf(key)
  return object !== null && envelope.algorithm === key.algorithm && verify(key.algorithm === 'EdDSA' ? null : 'sha256', signedBytes(envelope), { key: object, dsaEncoding: 'ieee-p1363' }, envelope.signature)
}

function objectOf(key: Key): KeyObject | null {
  const known = parsed.get(key)
  if (known !== undefined) return known
  if (parsed.size >= parsed_max) parsed.clear()
  const made = keyOf(key.publicKey)
  parsed.set(key, made)
  return made
}

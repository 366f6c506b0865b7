import { access, form_version, reaches, rows_max, technologies } from '@kawal/contract/compact.ts'
import { radioFault } from '@kawal/core/measurement/validate.ts'
import { createCursor } from './cursor.ts'
import { nextSample, type Measured, type MeasuredBatch } from './measured.ts'

/** What stands before the samples of a compact batch. */
interface CompactHead { station: number; sentAt: number | null }

const instant_max = 253_402_300_799_999
const day_ms = 86_400_000
const sequence_max = 2_147_483_647
const list = 0x80
const charging_words = new Map([[0xf4, false], [0xf5, true], [0xf6, null]])

/**
 * Reads compact batches in which all is as it should be, some twenty times as fast as a reader that must be able to say
 * what is wrong. It accepts nothing that `decodeBatch` and the contract's schema would not; at the first odd byte it
 * gives up, and the batch is read the slow way.
 */
export function createCompactReader() {
  const cursor = createCursor()
  const { whole, numberOrNull, sim, text, byte, isNull, spoil } = cursor
  const values: { rsrpDbm: number | null; rsrqDb: number | null; sinrDb: number | null; rssiDbm: number | null } = { rsrpDbm: null, rsrqDb: null, sinrDb: null, rssiDbm: null }

  /** A whole number up to `max`. */
  function upTo(max: number): number {
    const value = whole()
    if (!(value <= max)) spoil()
    return value
  }
  function radio(into: Measured): void {
    into.radio = null
    if (isNull()) return
    const initial = byte()
    if (initial !== (list | 6) && initial !== (list | 7)) return spoil()
    into.radio = into.levels
    if (text(32) === null) spoil()
    upTo(day_ms)
    values.rsrpDbm = into.levels.rsrpDbm = numberOrNull()
    values.rsrqDb = numberOrNull()
    values.sinrDb = numberOrNull()
    values.rssiDbm = into.levels.rssiDbm = numberOrNull()
    if (radioFault(into.technology, values) !== null) spoil()
    if (initial === (list | 7)) upTo(4)
  }
  function trips(into: Measured): void {
    const count = byte() - list
    into.rttMs.length = 0
    if (!(count >= 0 && count <= 20)) return spoil()
    for (let i = 0; i < count; i++) {
      const tenths = upTo(600_000)
      if (tenths === 0) spoil()
      into.rttMs.push(tenths / 10)
    }
  }
  function rate(): void {
    const kbps = numberOrNull()
    if (kbps !== null && !(kbps >= 0)) spoil()
  }
  function reach(into: Measured): void {
    const digits = whole()
    const [internet, election, platform] = [reaches[Math.floor(digits / 100)], reaches[Math.floor(digits / 10) % 10], reaches[digits % 10]]
    if (internet === undefined || election === undefined || platform === undefined) return spoil()
    into.reach.internet = internet
    into.reach.election = election
    into.reach.platform = platform
  }
  function word(words: readonly string[]): string {
    const found = words[byte()]
    if (found === undefined) spoil()
    return found ?? ''
  }
  function charging(): boolean | null {
    const found = charging_words.get(byte())
    if (found === undefined) spoil()
    return found ?? null
  }
  function row(into: Measured): void {
    into.from = cursor.at()
    if (byte() !== (list | 14)) return spoil()
    into.sequence = upTo(sequence_max)
    if (into.sequence === 0) spoil()
    into.eventAt = upTo(instant_max)
    into.sim = sim()
    into.access = word(access)
    into.accessPoint = text(64)
    into.technology = isNull() ? null : word(technologies)
    radio(into)
    trips(into)
    into.timeouts = upTo(20)
    rate()
    rate()
    reach(into)
    into.charging = charging()
    into.promise_ms = isNull() ? -1 : upTo(day_ms)
    if (into.eventAt + into.promise_ms > instant_max) spoil()
    into.to = cursor.at()
  }
  function rows(): number {
    const initial = byte()
    if (initial >= list && initial < list + 24) return initial - list
    return initial === 0x98 ? byte() : initial === 0x99 ? byte() * 256 + byte() : NaN
  }

  return {
    /** @returns null where something is odd: then nothing was read. Else the samples are in `batch`, unless one is odd for `isOdd`. */
    read(body: Buffer, batch: MeasuredBatch, isOdd: (head: CompactHead, sample: Measured) => boolean): CompactHead | null {
      cursor.begin(body)
      batch.bytes = body
      batch.count = 0
      if (byte() !== (list | 4) || byte() !== form_version) return null
      const head: CompactHead = { station: upTo(9_999_999_999_999), sentAt: isNull() ? null : upTo(instant_max) }
      const count = rows()
      if (!(count >= 1 && count <= rows_max)) return null
      for (let index = 0; index < count; index++) {
        const sample = nextSample(batch)
        row(sample)
        sample.index = index
        if (cursor.isOdd() || isOdd(head, sample)) return null
        batch.count++
      }
      return cursor.isAtEnd() ? head : null
    },
  }
}

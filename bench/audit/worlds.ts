import type { Random } from '@kawal/core/kernel/random.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { noteKey } from '@kawal/testkit/ed25519.ts'
import { receiptOf, writtenLog, type Voices } from '@kawal/testkit/written-log.ts'
import { drawnEntries, randomBytes } from './entries.ts'
import type { Case } from './judge.ts'
import type { World } from './tamper.ts'

export type Drawn = Awaited<ReturnType<typeof drawnEntries>>

/** Where tiles begin, end and are full. */
export const edge_sizes = [1, 2, 255, 256, 257, 511, 512, 513] as const
export const tall_sizes = [65_535, 65_536, 65_537] as const
const common_max = 1_300

export const drawnSize = (random: Random): number => 1 + Math.floor(random() ** 2 * common_max)

/** A log and two witnesses that are nobody else's. */
export const voicesOf = (nth: number): Voices =>
  ({ log: noteKey('kawal.example/ledger', 'ed25519', `log-${nth}`), witnesses: ['saksi.example/satu', 'saksi.example/dua'].map((name) => noteKey(name, 'cosignature', `${name}-${nth}`)), at_s: 1_865_000_000 + nth })

/** A log of this size, as it was before, and a fork of it. Its entries are some of those that were drawn, from a place on, around. */
export async function makeWorld(size: number, drawn: Drawn, voices: Voices, random: Random): Promise<World> {
  const { entries, records } = slice(drawn, size + 8, random)
  const older_size = 1 + Math.floor(random() * size)
  const [older, now] = await writtenLog(entries, older_size === size ? [size] : [older_size, size], voices)
  const other = [...entries]
  other[Math.floor(random() * older_size)] = writeEntry({ kind: 'delivery', recap: randomBytes(32, random), status: 200, answer: randomBytes(32, random), at: 0 })
  const [fork] = await writtenLog(other, [Math.max(older_size, size - 3 + Math.floor(random() * 8))], voices)
  if (older === undefined || fork === undefined) throw new Error('no log was written')
  return { older, now: now ?? older, fork, records }
}

/** A log that nobody touched, held against what was seen before; and a receipt of it, where it has a record. */
export async function cleanCases(size: number, drawn: Drawn, voices: Voices, random: Random): Promise<Case[]> {
  const { entries, records } = slice(drawn, size, random)
  const older_size = Math.floor(random() * (size + 1))
  const [older, now] = await writtenLog(entries, older_size === size ? [size] : [older_size, size], voices)
  if (older === undefined) throw new Error('no log was written')
  const state = now ?? older
  const [index, record] = [...records].find(([index]) => index < size) ?? []
  const log: Case = { name: `log of ${size}`, voices, honest: state.files, shown: { kind: 'log', files: state.files, seen: older.note } }
  return index === undefined || record === undefined ? [log] : [log, { name: `receipt of ${size}`, voices, honest: state.files, shown: { kind: 'receipt', receipt: Buffer.from(receiptOf(state, index)), record } }]
}

function slice({ entries, records }: Drawn, count: number, random: Random): Drawn {
  const from = Math.floor(random() * entries.length)
  const places = Array.from({ length: count }, (_, nth) => (from + nth) % entries.length)
  return {
    entries: places.map((place) => entries[place] as Uint8Array),
    records: new Map(places.flatMap((place, nth): [number, Uint8Array][] => (records.has(place) ? [[nth, records.get(place) as Uint8Array]] : []))),
  }
}

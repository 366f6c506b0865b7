import { randomUUID } from 'node:crypto'
import type { RecapState } from '@kawal/contract/recap.ts'
import { photo_kinds } from '@kawal/core/recap/photo.ts'
import type { Unsent } from '@kawal/core/recap/sending.ts'
import type { CarriedStore } from '@kawal/server/src/custody/courier.ts'
import type { DeliveryStore } from '@kawal/server/src/recap/forwarder.ts'
import type { Judging, JudgeStore } from '@kawal/server/src/recap/judge.ts'
import type { Holders, KeyHolder } from '@kawal/server/src/recap/keys.ts'
import type { PhotoId } from '@kawal/server/src/recap/photo-store.ts'
import type { PhotoLists } from '@kawal/server/src/recap/photos.ts'
import { recapOf } from '@kawal/server/src/recap/stored.ts'
import { transact, type CarriedRow, type DeviceRow, type EntryRow, type Tables } from './tables.ts'
import type { Io } from './world.ts'

/** The stores of judge, forwarder, courier and photos over the tables. Each says in its port what it promises; testkit/simulator/ports.test.ts holds it to that, beside the real one. */

const recap_kind = 1
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const idOf = ({ sha256, size }: PhotoId): string => `${sha256}-${size}`

export const holdersOf = (tables: Tables, io: Io): Holders => (kids) => io.look(() => {
  const found = new Map<string, KeyHolder[]>()
  for (const { kid, key, station, publicKey } of tables.devices) if (kids.includes(kid)) found.set(kid, [...found.get(kid) ?? [], { device: key, station, publicKey, role: 'officer', isRevoked: false }])
  return found
})

export function judgeStoreOf(tables: Tables, io: Io): JudgeStore {
  return {
    fresh: (max) => io.look(() => {
      const rows: EntryRow[] = []
      for (let index = tables.judged + 1; index < tables.entries.length && rows.length < max; index++) if (tables.entries[index]?.kind === recap_kind) rows.push(tables.entries[index] as EntryRow)
      return rows
    }),
    again: (until, max) => io.look(() => [...tables.recaps.values()].filter(({ reason, judgedAt }) => reason !== null && judgedAt <= until)
      .sort((one, other) => one.judgedAt - other.judgedAt || one.entry - other.entry).slice(0, max).map(({ entry }) => tables.entries[entry] as EntryRow)),
    judging: (work) => transact(io, (write): Judging => ({
      holders: holdersOf(tables, io),
      stations: (codes) => io.look(() => new Set(codes.filter((code) => tables.stations.has(code)))),
      write(judged, now) {
        write(() => {
          for (const { index, hash, recap, judgement } of judged) {
            const before = tables.recaps.get(hexOf(hash))
            tables.judged = Math.max(tables.judged, index)
            if (before !== undefined && before.reason === null) continue
            tables.recaps.set(hexOf(hash), {
              delivered: false, nextTryAt: null, ...before, hash: Buffer.from(hash), entry: index, photos: recap === null ? null : Buffer.from(recap.photos),
              reason: judgement.ok ? null : judgement.reason, detail: judgement.ok ? null : judgement.detail, judgedAt: now,
            })
          }
        })
        return Promise.resolve()
      },
    }), work),
  }
}

export function deliveryStoreOf(tables: Tables, io: Io): DeliveryStore {
  const alter = (hash: Buffer, part: object): void => {
    const row = tables.recaps.get(hexOf(hash))
    if (row !== undefined) tables.recaps.set(hexOf(hash), { ...row, ...part })
  }
  return {
    due: (now, max) => io.look(() => [...tables.recaps.values()].filter(({ reason, delivered, nextTryAt }) => reason === null && !delivered && (nextTryAt === null || nextTryAt <= now))
      .sort((one, other) => one.entry - other.entry).slice(0, max).map(({ hash, entry }) => ({ hash, bytes: tables.entries[entry]?.bytes ?? Buffer.alloc(0) }))),
    delivered: (hash, status, answer, at) => io.change(() => {
      if (!tables.deliveries.has(hexOf(hash))) tables.deliveries.set(hexOf(hash), { hash, status, answer, at, entry: null })
      alter(hash, { delivered: true })
    }),
    refused: (hash, until) => io.change(() => alter(hash, { nextTryAt: until })),
  }
}

export function photoListsOf(tables: Tables, io: Io): PhotoLists {
  return {
    async keep(record, list, _, look) {
      await io.look(() => look(entryOf(tables, hexOf(record))?.bytes ?? null))
      await io.change(() => {
        if (tables.lists.has(hexOf(list.hash))) return
        tables.lists.set(hexOf(list.hash), { bytes: list.bytes, photos: list.photos })
        for (const { sha256, size_bytes } of list.photos) {
          const id = `${hexOf(sha256)}-${size_bytes}`
          if (!tables.photos.has(id)) tables.photos.set(id, null)
        }
      })
    },
    find: (photo) => io.look(() => {
      const keptAt = tables.photos.get(idOf(photo))
      return keptAt === undefined ? null : { isKept: keptAt !== null }
    }),
    markKept: (photo, now) => io.change(() => {
      if (tables.photos.get(idOf(photo)) === null) tables.photos.set(idOf(photo), now)
    }),
  }
}

const entryOf = (tables: Tables, name: string): EntryRow | null => {
  const row = tables.byName.get(name)
  return row === undefined || row.kind !== recap_kind ? null : row
}

const photosIn = (tables: Tables, list: string) => (tables.lists.get(list)?.photos ?? []).map((photo) => ({ ...photo, id: `${hexOf(photo.sha256)}-${photo.size_bytes}` }))

export const stateOf = (tables: Tables, io: Io) => (hash: string): Promise<RecapState | null> => io.look(() => {
  const entry = entryOf(tables, hash)
  if (entry === null) return null
  const row = tables.recaps.get(hash)
  const list = row === undefined || row.photos === null ? null : hexOf(row.photos)
  return {
    hash, entry: entry.index, receivedAt: new Date(entry.at).toISOString(), state: row === undefined ? 'waiting' : row.reason === null ? 'counts' : 'quarantine', reason: row?.reason ?? null, detail: row?.detail ?? null, side: row === undefined ? null : 'officer',
    deliveredAt: tables.deliveries.has(hash) ? new Date(tables.deliveries.get(hash)?.at ?? 0).toISOString() : null,
    photos: list === null || !tables.lists.has(list) ? null : photosIn(tables, list).map(({ page, shot, kind, size_bytes, sha256, id }) => ({ page, shot, kind, size: size_bytes, sha256: hexOf(sha256), kept: typeof tables.photos.get(id) === 'number' })),
  }
})

/** The receiver's answer as an entry of the ledger. */
export const deliveryOf = (tables: Tables, io: Io) => (hash: string): Promise<{ readonly index: number; readonly bytes: Uint8Array } | null> => io.look(() => {
  const index = tables.deliveries.get(hash)?.entry ?? null
  const entry = index === null ? undefined : tables.entries[index]
  return entry === undefined ? null : { index: entry.index, bytes: entry.bytes }
})

/** So many of a kind are looked at for the next step. */
const look_max = 100
const bare = { isLogged: true, isListKept: true, photos: [] } as const

export function carriedStoreOf(tables: Tables, io: Io): CarriedStore {
  const put = (hash: string, entry: Uint8Array, part: Partial<CarriedRow>): void => {
    const list = hexOf(recapOf(entry)?.photos ?? Buffer.alloc(32))
    tables.carried.set(hash, { hash, list, receipt: null, refused: null, listed: false, ...tables.carried.get(hash), ...part })
  }
  const inOrder = (): { readonly row: CarriedRow; readonly entry: EntryRow }[] =>
    [...tables.carried.values()].map((row) => ({ row, entry: tables.byName.get(row.hash) as EntryRow })).sort((one, other) => one.entry.index - other.entry.index)

  function unsent(): Unsent[] {
    const records = tables.entries.filter(({ name, kind }) => kind === recap_kind && (tables.carried.get(name)?.receipt ?? null) === null && (tables.carried.get(name)?.refused ?? null) === null)
    const carried = inOrder()
    const lists = carried.filter(({ row }) => row.receipt !== null && !row.listed && tables.lists.has(row.list))
    const photos = carried.flatMap(({ row, entry }) => (row.listed ? photosIn(tables, row.list).map((photo) => ({ ...photo, entry, hash: row.hash })) : []))
      .filter(({ id, size_bytes }) => typeof tables.photos.get(id) === 'number' && (tables.sent.get(id) ?? 0) < size_bytes)
      .sort((one, other) => photo_kinds.indexOf(one.kind) - photo_kinds.indexOf(other.kind) || one.entry.index - other.entry.index)
    return [
      ...records.slice(0, look_max).map(({ name, at }): Unsent => ({ ...bare, hash: name, madeAt: at, isLogged: false })),
      ...lists.slice(0, look_max).map(({ entry }): Unsent => ({ ...bare, hash: entry.name, madeAt: entry.at, isListKept: false })),
      ...photos.slice(0, look_max).map(({ hash, entry, id, kind, size_bytes }): Unsent => ({ ...bare, hash, madeAt: entry.at, photos: [{ id, kind, size_bytes, offset: tables.sent.get(id) ?? 0 }] })),
    ]
  }

  return {
    unsent: () => io.look(unsent),
    kept: (hash) => io.look(() => {
      const row = tables.byName.get(hash)
      if (row === undefined) throw new Error(`record ${hash} is not here`)
      return { bytes: row.bytes, key: row.key === null ? null : Buffer.from(row.key) }
    }),
    list: (hash) => io.look(() => {
      const list = tables.lists.get(tables.carried.get(hash)?.list ?? '')
      if (list === undefined) throw new Error(`the list of record ${hash} is not here`)
      return list.bytes
    }),
    receipt: (hash) => io.look(() => tables.carried.get(hash)?.receipt ?? null),
    note: (carried) => io.change(() => {
      switch (carried.kind) {
        case 'receipt': return put(carried.hash, carried.entry, { receipt: carried.receipt })
        case 'refused': return put(carried.hash, carried.entry, { refused: carried.why })
        case 'listed': {
          const row = tables.carried.get(carried.hash)
          return void (row !== undefined && tables.carried.set(row.hash, { ...row, listed: true }))
        }
        case 'sent': return void tables.sent.set(idOf(carried.photo), carried.offset)
      }
    }),
  }
}

/** Adds a device, or gives back the one that has this key at this station. */
export function enrolIn(tables: Tables, station: string, publicKey: Buffer, kid: string, now: number, id: string = randomUUID()): DeviceRow {
  const known = tables.devices.find((each) => each.station === station && each.publicKey.equals(publicKey))
  if (known !== undefined) return known
  const row: DeviceRow = { key: tables.devices.length + 1, id, station, publicKey, kid, enrolledAt: now, entry: null }
  tables.devices.push(row)
  return row
}

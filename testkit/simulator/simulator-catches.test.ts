import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeptRecap } from '@kawal/sigmon/src/recap/kept.ts'
import { recapOf } from '@kawal/server/src/recap/stored.ts'
import type { Mutation } from './mutation.ts'
import { sayRun, simulate } from './simulate.ts'
import './give-way.ts'

/** A fault that is planted at a port, and the seeds within which the checker has to find it. */
interface Plant {
  readonly name: string
  readonly mutation: () => Mutation
  /** The first seed, 1 without it: a stop that falls between two steps is rare. */
  readonly from?: number
  readonly seeds: number
  readonly rules: RegExp
}

const plants: readonly Plant[] = [
  {
    name: 'a photo is acknowledged before it is synced', seeds: 6, rules: /offset|photo/,
    mutation: () => ({ keeper: { photoFiles: (files) => ({ ...files, append: async (name, isNew) => ({ ...await files.append(name, isNew), sync: () => Promise.resolve() }) }) } }),
  },
  {
    name: 'a receipt is given before its entry is committed', seeds: 3, rules: /lost|blocked|forked|receipt/,
    // The commit comes a moment later, as with synchronous_commit=off; whatever asks meanwhile is told as if it were there.
    mutation: () => ({ keeper: { ledgerStore: (store, io) => {
      let behind: Promise<unknown> = Promise.resolve()
      return { ...store, write: async (work) => {
        await behind.catch(() => undefined)
        return new Promise((resolve, reject) => void (behind = store.write(async (writing) => {
          const value = await work(writing)
          resolve(value)
          for (let nth = 0; nth < 100; nth++) await io.look(() => null)
          return value
        }).catch(reject)))
      } }
    } } }),
  },
  {
    name: 'the phone answers before its own disk has it', seeds: 3, rules: /forgotten|chain|lost/,
    mutation: () => ({ phone: { isRelaxed: true } }),
  },
  {
    name: 'the same again is another entry', seeds: 2, rules: /doubled|receipt/,
    mutation: () => ({ keeper: { ledgerStore: (store) => {
      let nth = 0
      const salted = (name: string): string => name.slice(0, 56) + String(nth++).padStart(8, '0')
      return { ...store, write: (work) => store.write((writing) => work({
        ...writing, names: () => Promise.resolve(new Map<string, number>()),
        add: async (first, entries, files, at) => {
          const there = await writing.names(entries.map(({ name }) => name))
          return writing.add(first, entries.map((entry) => (there.has(entry.name) ? { ...entry, name: salted(entry.name) } : entry)), files, at)
        },
      })) }
    } } }),
  },
  {
    name: 'one byte more is acknowledged than is there', seeds: 2, rules: /offset|photo/,
    mutation: () => ({ keeper: { photoStore: (store) => ({ ...store, append: async (photo, from, body) => {
      const appended = await store.append(photo, from, body)
      return appended.offset < photo.size ? { ...appended, offset: appended.offset + 1 } : appended
    } }) } }),
  },
  {
    name: 'a record is taken off the queue before it is sent', seeds: 2, rules: /lost/,
    mutation: () => ({ phone: { book: (book) => ({ ...book, async get(hash: string): Promise<KeptRecap | undefined> {
      const kept = await book.get(hash)
      if (kept?.receipt === null) await book.change(hash, { receipt: 'under way' })
      return kept
    } }) } }),
  },
  {
    name: 'a photo gets its name by two steps', from: 9, seeds: 8, rules: /offset|photo/,
    mutation: () => ({ keeper: { photoFiles: (files, disk, io) => ({ ...files, async rename(from, to) {
      const file = await io.change(() => {
        const found = disk.files.get(from)
        for (const names of [disk.files, disk.named]) names.delete(from)
        return found
      })
      await io.change(() => {
        if (file !== undefined) for (const names of [disk.files, disk.named]) names.set(to, file)
      })
    } }) } }),
  },
  {
    name: 'records are judged in the order of the phones’ clocks', seeds: 2, rules: /blocked|judged|undelivered/,
    mutation: () => ({ keeper: { judgeStore: (store) => {
      let newest = -Infinity
      return { ...store, async fresh(max) {
        const found = (await store.fresh(max)).filter(({ bytes }) => (recapOf(bytes)?.madeAt ?? Infinity) > newest)
        for (const { bytes } of found) newest = Math.max(newest, recapOf(bytes)?.madeAt ?? -Infinity)
        return found
      } }
    } } }),
  },
  {
    name: 'a partial tile is one hash short', seeds: 3, rules: /blocked|lost|forked|receipt|judged/,
    mutation: () => ({ keeper: { ledgerStore: (store) => ({ ...store, async edge() {
      const edge = await store.edge()
      const [lowest = new Uint8Array(), ...higher] = edge.tiles
      return lowest.length < 64 ? edge : { ...edge, tiles: [Buffer.concat([lowest.subarray(0, -64), lowest.subarray(-32), lowest.subarray(-32)]), ...higher] }
    } }) } }),
  },
  {
    name: 'the receiver’s answer is not kept', seeds: 1, rules: /undelivered/,
    mutation: () => ({ keeper: { deliveryStore: (store) => ({ ...store, delivered: (hash, _status, _answer, at) => store.refused(hash, at + 1_000_000_000) }) } }),
  },
  {
    name: 'the signer forgets what it signed last', seeds: 8, rules: /forked|receipt|lost|blocked/,
    mutation: () => ({ keeper: { signerFolder: (folder) => ({ ...folder, names: async () => (await folder.names()).filter((name) => name === 'key'), place: () => Promise.resolve(true), remove: () => Promise.resolve() }) } }),
  },
]

for (const { name, mutation, from = 1, seeds, rules } of plants) test(`planted and found: ${name}`, async () => {
  const rulesFound: string[] = []
  for (let seed = from; seed < from + seeds; seed++) {
    const run = await simulate(seed, mutation())
    rulesFound.push(...run.violations.map(({ rule }) => rule))
    if (run.violations.some(({ rule }) => rules.test(rule))) {
      assert.match(sayRun(run), new RegExp(`^seed ${seed} \\(`))
      return
    }
  }
  assert.fail(`not found in ${seeds} seeds from ${from} on; of other rules: ${[...new Set(rulesFound)].join(', ')}`)
})

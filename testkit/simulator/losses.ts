import { createHash } from 'node:crypto'
import { second_ms } from '@kawal/core/kernel/clock.ts'
import { readSignedRecap } from '@kawal/core/recap/envelope.ts'
import type { KeptRecap } from '@kawal/sigmon/src/recap/kept.ts'
import type { Parties } from './faults.ts'
import type { Mutation } from './mutation.ts'
import type { Phone, PhonePlan } from './phone.ts'
import type { Happening, World } from './world.ts'

/**
 * Losses between any two that hand records on, planted beside all the ordinary faults. Each is told in the history as `planted`, with what the report of what lacks
 * has to say of it. Which phone or record meets with which is decided by its number or its hash, so that no two meet in one.
 */
export function lossesOf(): Mutation {
  let parties: Parties | null = null
  const tell = (what: string, hash: string): void => void parties?.world.tell('planted', what, { hash })
  const forgotten = new Set<string>()
  const told = new Set<string>()
  const once = (what: string, hash: string): void => {
    if (!told.has(hash)) tell(what, hash)
    told.add(hash)
  }
  return {
    keeper: {
      // A box forgets what phones without another line gave it: it is in its log, and nowhere else.
      carriedStore: (store) => ({ ...store, unsent: async () => (await store.unsent()).filter(({ hash }) => !forgotten.has(hash)) }),
      deliveryStore: (store) => ({
        ...store,
        due: async (now, max) => {
          const due = await store.due(now, max * 50)
          for (const { hash } of due) if (lotOf(hash.toString('hex')) === 'never handed over') once('undelivered', hash.toString('hex'))
          return due.filter(({ hash }) => lotOf(hash.toString('hex')) !== 'never handed over').slice(0, max)
        },
        // The receiver took it, and its answer is not kept.
        delivered: async (hash, status, answer, at) => {
          if (lotOf(hash.toString('hex')) !== 'answer lost') return store.delivered(hash, status, answer, at)
          once('unanswered', hash.toString('hex'))
          return store.refused(hash, at + 1_000_000_000)
        },
      }),
    },
    phone: {
      book: (book, plan) => {
        const fate = fateOf(plan)
        // The first record of a phone goes lost on its disk, and the next one names it.
        if (fate === 'forgets one') return { ...book, all: async () => (await book.all()).filter((record) => sequenceOf(record) !== 1) }
        return fate !== 'box forgets' ? book : { ...book, sign: async (filled) => {
          const signed = await book.sign(filled)
          if (typeof signed !== 'string') forgotten.add(signed.hash)
          return signed
        } }
      },
    },
    losses(all) {
      parties = all
      for (const phone of all.phones) fates[fateOf(phone.plan)](all, phone, tell)
    },
  }
}

type Fate = 'ordinary' | 'box forgets' | 'wiped' | 'wiped and shown' | 'forgets one' | 'restored'
const fate_of: Readonly<Record<number, Fate>> = { 3: 'box forgets', 7: 'wiped', 9: 'wiped and shown', 11: 'forgets one', 12: 'forgets one', 15: 'restored', 16: 'restored', 17: 'restored' }

function fateOf({ name, deeds, box, isEnrolled }: PhonePlan): Fate {
  const fate = fate_of[Number(name.split(' ')[1]) % 20] ?? 'ordinary'
  const fits = deeds.every(({ is }) => is === 'record') && (fate === 'box forgets' ? box !== null : fate === 'forgets one' ? deeds.length > 1 : fate === 'restored' ? deeds.length > 2 : box === null && isEnrolled)
  return fits ? fate : 'ordinary'
}

/** What becomes of a record on its way to the receiver, by its hash. */
type Lot = 'never handed over' | 'answer lost' | 'lost' | 'altered' | 'ordinary'
const lots: Readonly<Record<string, Lot>> = { 0: 'never handed over', 1: 'answer lost', 2: 'lost', 3: 'altered' }
const lotOf = (hash: string): Lot => lots[hash[0] ?? ''] ?? 'ordinary'

const sequenceOf = ({ bytes }: KeptRecap): number => {
  const read = readSignedRecap(bytes)
  return read.ok ? read.value.recap.sequence : 0
}

type Tell = (what: string, hash: string) => void
/** Looks every second at what a phone told. */
function watching(world: World, phone: Phone, look: (its: readonly Happening[], stop: () => void) => void): void {
  let isOver = false
  const its: Happening[] = []
  let seen = 0
  const turn = (): void => {
    for (; seen < world.history.length; seen++) if (world.history[seen]?.who === phone.plan.name) its.push(world.history[seen] as Happening)
    look(its, () => (isOver = true))
    if (!isOver) world.later(second_ms, null, turn)
  }
  turn()
}
const signedOf = (its: readonly Happening[]): Happening[] => its.filter(({ what }) => what === 'signed')
const hashOf = ({ of }: Happening): string => String(of['hash'])

const fates: Readonly<Record<Fate, (parties: Parties, phone: Phone, tell: Tell) => void>> = {
  ordinary: () => undefined,
  'box forgets': ({ world, network }, phone, tell) => {
    network.dead.add(`${phone.plan.name}>platform`)
    let count = 0
    watching(world, phone, (its) => {
      const signed = signedOf(its)
      for (const each of signed.slice(count)) tell('custody', hashOf(each))
      count = signed.length
    })
  },
  wiped: (parties, phone, tell) => wipe(parties, phone, (signed) => tell('gone', hashOf(signed))),
  'wiped and shown': (parties, phone, tell) => wipe(parties, phone, (signed) => {
    tell('shown', hashOf(signed))
    parties.world.tell(phone.plan.name, 'shows', { bytes: String(signed.of['bytes']) })
  }),
  'forgets one': ({ world }, phone, tell) => watching(world, phone, (its, stop) => {
    const [first, second] = signedOf(its)
    if (first === undefined || second === undefined) return
    tell('missing', hashOf(first))
    stop()
  }),
  restored: ({ world }, phone, tell) => restore(world, phone, tell),
}

/** All that it signed was never handed to anybody. */
function wipe({ world, network }: Parties, phone: Phone, told: (signed: Happening) => void): void {
  network.dead.add(`${phone.plan.name}>platform`)
  watching(world, phone, (its, stop) => {
    const signed = signedOf(its)
    if (signed.length < phone.plan.deeds.length) return
    for (const each of signed) told(each)
    phone.lose()
    stop()
  })
}

/** It is put back to a copy of before its second record, when the platform has that one; its third then has the same number. */
function restore(world: World, phone: Phone, tell: Tell): void {
  let putBack: (() => void) | null = null
  let isRestored = false
  watching(world, phone, (its, stop) => {
    const [first, second, third] = signedOf(its)
    if (third !== undefined) {
      if (second !== undefined && isRestored) tell('branch', [hashOf(second), hashOf(third)].sort().join(' '))
      return stop()
    }
    if (first !== undefined && second === undefined) putBack = phone.copy()
    const isThere = second !== undefined && its.some(({ what, of }) => what === 'answer' && of['to'] === 'platform' && of['hash'] === hashOf(second))
    if (!isThere || putBack === null || isRestored || !phone.isOpen()) return
    phone.close(false)
    putBack()
    isRestored = true
    world.later(second_ms, null, () => phone.open())
  })
}

/** What the receiver says it has, with its own losses; and one more, which nobody logged. */
export function exportOf(hashes: readonly string[], world: World, isPlanted: boolean): void {
  const say = (hash: string, bytes = hash): void => world.tell('audit', 'receiver', { hash, bytes })
  if (!isPlanted) return hashes.forEach((hash) => say(hash))
  for (const hash of hashes) {
    const lot = lotOf(hash)
    if (lot === 'lost' || lot === 'altered') world.tell('planted', lot, { hash })
    if (lot !== 'lost') say(hash, lot === 'altered' ? hash.slice(0, 62) + (hash.endsWith('00') ? '01' : '00') : hash)
  }
  const bypassed = createHash('sha256').update(`nobody logged it ${hashes.length}`).digest('hex')
  world.tell('planted', 'unlogged', { hash: bypassed })
  say(bypassed)
}

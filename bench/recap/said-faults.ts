import { randomBytes } from 'node:crypto'
import { hour_ms } from '@kawal/core/kernel/clock.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { signEnvelope } from '@kawal/core/recap/cose.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import { presidential } from '@kawal/testkit/recaps.ts'
import { recording, type History } from './history.ts'
import type { Kit } from './kit.ts'
import { createPhone, type Phone, type PhoneNeeds } from './phone.ts'
import type { Enrolled } from './world.ts'

async function sigmon(kit: Kit, history: History, more: Partial<PhoneNeeds> = {}): Promise<{ readonly phone: Phone; readonly officer: Enrolled }> {
  const officer = await kit.officer()
  return { officer, phone: createPhone({ ...officer, ledgerKey: await kit.ledgerKey(), clock: kit.now, random: seeded(3), fetch: recording(history, kit.url), ...more }) }
}

/** Sends what waits, and says what has not gone. */
async function unsent(phone: Phone): Promise<number> {
  await phone.sender.trigger('button')
  phone.sender.stop()
  return (await phone.all()).filter(({ refusal, receipt, isProven, isListKept, photos }) => refusal === null && (receipt === null || !isProven || !isListKept || photos.some(({ offset, size_bytes }) => offset < size_bytes))).length
}

const records_each = 4
const photo_sizes = [3_000, 70_000]

/** Phones whose clocks are wrong by hours, stand at 1970, past 2038, at the end of what a record can say, or jump. */
export async function wrongClocks(kit: Kit, history: History): Promise<number> {
  const random = seeded(23)
  const fixed = [kit.now() - 9 * hour_ms, kit.now() + 9 * hour_ms, 0, 1_000, Date.UTC(2038, 0, 19, 3, 14, 8), 2 ** 32 * 1_000, Date.UTC(9999, 11, 31)]
  const clocks = [...fixed.map((at) => () => at), () => Math.floor(random() * Date.UTC(2100, 0, 1))]
  for (const clock of clocks) {
    const { phone } = await sigmon(kit, history, { clock })
    for (let nth = 0; nth < records_each; nth++) await phone.sign(photo_sizes, { clockOffset_ms: nth % 2 === 0 ? null : -3_155_760_000_000 })
    const left = await unsent(phone)
    if (left > 0) throw new Error(`${left} records of a phone whose clock says ${clock()} did not go`)
  }
  return clocks.length * records_each
}

const poisons = ['damaged', 'no_record', 'form_unknown', 'station_unknown', 'too_large', 'photo_other', 'photo_gone'] as const
const poison_rounds = 6

/** Something that cannot go, in the middle of a queue: what is before and behind it goes all the same. */
export async function poisoned(kit: Kit, history: History): Promise<number> {
  for (let round = 0; round < poison_rounds; round++) for (const poison of poisons) {
    let at = kit.now()
    const { phone, officer } = await sigmon(kit, history, { clock: () => ++at })
    await phone.sign(photo_sizes)
    await put(phone, officer, history, poison)
    await phone.sign(photo_sizes)
    const left = await unsent(phone)
    // A photo that is damaged or gone keeps its own record from being done; nothing else.
    if (left !== (poison.startsWith('photo') ? 1 : 0)) throw new Error(`${left} records did not go beside ${poison}`)
  }
  return poison_rounds * poisons.length
}

async function put(phone: Phone, { station, signer }: Enrolled, history: History, poison: (typeof poisons)[number]): Promise<void> {
  const hold = (bytes: Uint8Array<ArrayBuffer>): void => {
    history.sent(Buffer.from(bytes), false)
    phone.hold(bytes)
  }
  switch (poison) {
    case 'photo_other': case 'photo_gone': {
      const { photos: [, photo] } = await phone.sign([3_000, 90_000])
      return phone.replace(photo?.id ?? '', poison === 'photo_gone' ? undefined : Uint8Array.from(randomBytes(90_000)).buffer)
    }
    case 'damaged': {
      const bytes = await signRecap({ ...presidential, station }, signer)
      bytes[100] = (bytes[100] ?? 0) ^ 1
      return hold(bytes)
    }
    case 'no_record': return hold(await signEnvelope(randomBytes(300), signer))
    case 'too_large': return hold(Uint8Array.from(randomBytes(8_193)))
    case 'form_unknown': return hold(await signRecap({ ...presidential, station, photos: randomBytes(32), form: 9 }, signer))
    case 'station_unknown': return hold(await signRecap({ ...presidential, station: '9999999999001', photos: randomBytes(32) }, signer))
  }
}

const dead_hours = 12
const record_every_min = 20

/** The receiver is dead for half a day, then busy, loses answers and refuses some; records come meanwhile. */
export async function deadReceiver(kit: Kit, history: History): Promise<number> {
  const random = seeded(29)
  const { phone } = await sigmon(kit, history)
  let runs = 0
  try {
    for (const faults of [['dead'], ['busy', 'none'], ['lost', 'none'], ['refuse', 'none', 'lost', 'dead']] as const) {
      kit.receiver.fault = () => faults[Math.floor(random() * faults.length)] ?? 'none'
      for (let minute = 0; minute < (faults[0] === 'dead' ? dead_hours * 60 : 240); minute += record_every_min, runs++) {
        await phone.sign([])
        await phone.sender.trigger('button')
        await kit.pass(record_every_min)
      }
    }
  } finally {
    kit.receiver.fault = () => 'none'
    phone.sender.stop()
  }
  return runs
}

const version_rounds = 20

/**
 * Programs of different age: a record with keys that come later counts, one on a form that comes later is kept for the program that knows it, a phone that
 * knows no photos is as good as any, and what an old server does not know waits on the phone until there is a new one.
 */
export async function otherVersions(kit: Kit, history: History): Promise<number> {
  for (let round = 0; round < version_rounds; round++) {
    let isOld = true
    const real = recording(history, kit.url)
    const fetchOld = (path: string, init?: RequestInit): Promise<Response> => (isOld && path.includes('photos') ? Promise.resolve(Response.json({ code: 'not_found', detail: 'there is no such address' }, { status: 404 })) : real(path, init))
    const { phone, officer } = await sigmon(kit, history, { fetch: fetchOld })
    const later = new Map<number, string | number>([[16 + round, 'of a later program'], [70_000, round]])
    await phone.sign(photo_sizes, { later })
    const newer = Buffer.from(await signRecap({ ...presidential, station: officer.station, photos: randomBytes(32), form: 2 + round, later }, officer.signer))
    history.sent(newer, false)
    phone.hold(Uint8Array.from(newer))
    await phone.sender.trigger('button')
    const before = (await phone.all()).find(({ photos }) => photos.length > 0)
    if (before?.receipt == null || before.isListKept) throw new Error('an old server was told of photos, or did not take the record')
    isOld = false
    const left = await unsent(phone)
    if (left > 0) throw new Error(`${left} records did not go when the server was new`)
  }
  return version_rounds * 2
}

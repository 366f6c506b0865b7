import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { startApp, type App } from '@kawal/server/src/app.ts'
import { deviceToken, enrolKey } from '@kawal/server/src/measurement/enrolment.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { startReceiver, type Receiver } from '@kawal/testkit/receiver.ts'
import { keyOf, type Enrolled } from './world.ts'

/** The server in this process, over a real database, with a receiver behind it and a clock that goes as it is told. */
export interface Kit {
  readonly receiver: Receiver
  readonly station: string
  port(): number
  url(): string
  now(): number
  /** Whose token asks for everything. */
  readonly token: string
  enrol(): Promise<RecapPhone & { readonly token: string }>
  /** With its key, for Sigmon's own carrier. */
  officer(): Promise<Enrolled>
  ledgerKey(): Promise<string>
  /** Time passes, and everything that runs by the clock has its turn. */
  pass(minutes: number): Promise<void>
  /** Until everything is judged and handed over. */
  settle(): Promise<void>
  /** Errors after which the process is to end. */
  readonly fatal: unknown[]
  /** Ends the program and starts it anew, on the same disk. */
  reopen(): Promise<void>
  close(): Promise<void>
}

const turns_max = 60

export async function openKit(): Promise<Kit> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-faults-'))
  const database = await withDatabase()
  const receiver = await startReceiver('rahasia')
  let now = Date.UTC(2029, 1, 14, 9)
  const fatal: unknown[] = []
  const open = (): Promise<App> => startApp({
    ownerUrl: database.ownerUrl, appPassword: 'test', clock: () => now, host: '127.0.0.1', port: 0, rehearsal: true, log: pino({ level: 'silent' }), fatal: (error) => void fatal.push(error),
    recaps: { folder: join(folder, 'ledger'), photos: join(folder, 'photos'), origin: 'kawal.example/ledger', receiver: { url: receiver.url, token: 'rahasia' } },
  })
  await seedRecaps(database)
  let app = await open()
  const [station = ''] = planned.stations
  const tokenOf = async (publicKey: Buffer): Promise<string> => {
    const enrolled = await enrolKey(app.database, station, publicKey, now, Infinity)
    if (enrolled === null) throw new Error('the station has no place')
    return deviceToken(app.secret, enrolled.device)
  }
  const enrol = async (): Promise<RecapPhone & { readonly token: string }> => {
    const phone = await recapPhone(station)
    // Each names the one before it: with a first one they can be made beside each other.
    await phone.record()
    return { ...phone, token: await tokenOf(phone.publicKey) }
  }
  const pass = async (minutes: number): Promise<void> => {
    now += minutes * minute_ms
    await app.tick(now)
    await app.recapsIdle()
  }
  return {
    receiver, station, fatal, enrol, pass,
    port: () => Number(new URL(app.url).port), url: () => app.url, now: () => now,
    token: (await enrol()).token,
    async officer() {
      const key = await keyOf()
      return { station, ...key, token: await tokenOf(key.publicKey) }
    },
    ledgerKey: async () => (await (await fetch(`${app.url}/ledger/key`)).text()).trim(),
    async settle() {
      for (let turn = 0, held = -1; turn < turns_max && held !== receiver.held().length; turn++) {
        held = receiver.held().length
        await pass(65)
        await pass(11)
      }
    },
    async reopen() {
      await app.stop()
      app = await open()
    },
    async close() {
      await app.stop()
      await receiver.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

import { join, resolve } from 'node:path'
import pino from 'pino'
import { readLetterCode } from '@kawal/core/measurement/letter.ts'
import { connect, migrate } from '../adapters/postgres/database.ts'
import { startBox, type Box } from '../custody/box.ts'
import { openDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { listenOn, untilStopped } from './listen.ts'
import { portOption, type Options } from './options.ts'

/** Carrying begins again this often; what comes in begins it too. */
const turn_ms = 5_000

/** The box at an access point, until it is told to stop. */
export async function serveBox(options: Options): Promise<void> {
  const { host, tls } = listenOn(options)
  const { up, station } = options
  if (up === undefined || !URL.canParse(up) || !/^https?:$/.test(new URL(up).protocol)) throw new CommandFailure(exits.usage, 'A box carries to the platform: say with --up where that is, as https://kawal.example.')
  if (station === undefined || !/^[0-9]{13}$/.test(station)) throw new CommandFailure(exits.usage, 'A box is enrolled at a station: give the 13 digits of the nearest with --station.')
  const code = readLetterCode(process.env['KAWAL_LETTER'] ?? '')
  if (!code.ok) throw new CommandFailure(exits.usage, 'Put the code of that station\'s letter (17 symbols) into the variable KAWAL_LETTER: it stays out of the list of processes.')
  const platform = up.replace(/\/+$/, '')
  const port = portOption(options)
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'info' }, pino.destination(2))
  const data = options['data'] ?? '.kawal'
  const server = await openDatabase(data)
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      const box = await startBox({
        database, clock: Date.now, log, host, port, ...(tls === undefined ? {} : { tls }),
        folder: resolve(options['ledger'] ?? join(data, 'ledger')), photos: resolve(data, 'photos'), origin: `kotak-${station}/ledger`, up: platform, station, code: code.value,
      })
      process.stdout.write(options['json'] === undefined ? `Kotak titip  ${box.url}\nMeneruskan ke ${platform}. Ctrl-C stops.\n` : `${JSON.stringify({ url: box.url })}\n`)
      void sayMet(box, platform)
      await untilStopped([{ every_ms: turn_ms, turn: box.turn }], (error) => log.error(error))
      await box.stop()
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

/** Whoever sets a box up hears at once whether it will be let in, and not when the first record waits. */
async function sayMet(box: Box, up: string): Promise<void> {
  const said = await box.meet().then((isMet) => (isMet ? `Enrolled at ${up}, and its ledger's key is kept: what comes in is carried there.` : `${up} does not answer yet. What comes in is kept, and carried when it does.`), String)
  process.stderr.write(`${said}\n`)
}

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pino from 'pino'
import type { VerifierKey } from '@kawal/core/ledger/key.ts'
import { policySentence, readLogKeys } from '@kawal/core/ledger/policy.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { SignerRefused } from '../ledger/signer.ts'
import { startWitness, type RunningWitness } from '../witness/serve.ts'
import { CommandFailure, exits } from './exits.ts'
import { listenOn, untilStopped } from './listen.ts'
import { portOption, urlOption, type Options } from './options.ts'

/** Watches logs until it is told to stop. It needs no database. */
export async function witnessAction(options: Options): Promise<void> {
  const { host, tls } = listenOn(options)
  const port = portOption(options)
  const url = urlOption(options)
  const logs = logsOf(options['logs'])
  const folder = resolve(options['keyFolder'] ?? join(options['data'] ?? '.kawal', 'witness'))
  const name = options['name'] ?? ''
  if (name === '' && !existsSync(join(folder, 'key'))) throw new CommandFailure(exits.usage, 'A new witness needs a name for its key, for ever: an address of yours without a scheme, as --name saksi.bawaslu.example/kawal.')
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'info' }, pino.destination(2))
  const trustProxy = options['trustProxy']?.split(',').map((each) => each.trim()).filter(Boolean)
  const witness = await startWitness({ folder, name, logs, clock: Date.now, log, host, port, ...(tls === undefined ? {} : { tls }), ...(trustProxy === undefined ? {} : { trustProxy }) }).catch((error: unknown) => {
    throw error instanceof SignerRefused ? new CommandFailure(exits.refused, error.message) : error
  })
  const kept = witness.key.slice(0, witness.key.indexOf('+'))
  if (name !== '' && name !== kept) {
    await witness.stop()
    throw new CommandFailure(exits.refused, `The key in ${folder} is named ${kept}, not ${name}. Leave --name out, or name another folder for another witness.`)
  }
  process.stdout.write(options['json'] === undefined ? said(witness, url ?? witness.url) : `${JSON.stringify(witness)}\n`)
  await untilStopped([], (error) => log.error(error))
  await witness.stop()
}

const said = ({ url, key, origins }: RunningWitness, publicUrl: string): string =>
  `Saksi  ${url}\nWatches ${origins.join(', ')}. Give whoever runs it this line for its policy, with a name of his choice; Ctrl-C stops.\n\n  witness ${key.slice(0, key.search(/[./+]/))} ${key} ${publicUrl}\n`

function logsOf(path: string | undefined): readonly VerifierKey[] {
  if (path === undefined) throw new CommandFailure(exits.usage, 'Say which logs to watch: --logs FILE, with the key of each on a line, as it is at the address of the log, /key.')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandFailure(exits.rejected, `--logs ${path} cannot be read: ${(error as Error).message}`)
  }
  const logs = readLogKeys(text, sha256)
  if (!logs.ok) throw new CommandFailure(exits.rejected, `--logs ${path}: ${policySentence(logs.error)}`)
  if (logs.value.length === 0) throw new CommandFailure(exits.rejected, `--logs ${path} names no log. Put the key of each on a line, as it is at the address of the log, /key.`)
  return logs.value
}

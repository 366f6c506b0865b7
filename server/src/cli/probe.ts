import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Value } from 'typebox/value'
import { StationCode } from '@kawal/contract/report.ts'
import { readLetterCode } from '@kawal/core/measurement/letter.ts'
import { accessOf, chargingOf } from '../probe/box.ts'
import { checkLimits } from '../probe/check.ts'
import { asJson, asText } from '../probe/print.ts'
import { readModem } from '../probe/radio.ts'
import { runProbe, type ProbeSettings } from '../probe/run.ts'
import { openStore } from '../probe/store.ts'
import { CommandFailure, exits } from './exits.ts'
import { onInterrupt } from './interrupt.ts'
import { numberOption, type Options } from './options.ts'

const interval_s_min = 30

/** Checks unattended at a station or an access point, keeps what it measured, and sends it when it can. */
export async function probe(options: Options): Promise<void> {
  const settings = settingsOf(options)
  const interval_s = numberOption(options, 'interval', 3_600)
  if (interval_s < interval_s_min) throw new CommandFailure(exits.usage, `--interval takes ${interval_s_min} to 3600 seconds, not ${interval_s}.`)
  const modem = options['modem'] ?? 'auto'
  if (!['auto', 'mm', 'none'].includes(modem) && !modem.startsWith('/')) throw new CommandFailure(exits.usage, `--modem takes auto, mm, none or the path of a serial port, as /dev/ttyUSB2; not ${modem}.`)
  const folder = join(resolve(options['data'] ?? '.kawal'), 'probe')
  makeFolder(folder)
  const store = await openStore(folder, settings.station)
  if (store.state().token === null && settings.code === null) throw new CommandFailure(exits.usage, `This probe is not enrolled yet: give the code of station ${settings.station}'s letter with --code, once.`)
  const stop = new AbortController()
  // SIGTERM, as systemd sends it, is an end as it should be; Ctrl-C is an interruption, though in order too
  process.once('SIGINT', () => (process.exitCode = exits.interrupted))
  onInterrupt(() => stop.abort())
  const talk = (sentence: string): void => void process.stderr.write(`${sentence}\n`)
  const json = options['json'] !== undefined
  const once = options['once'] !== undefined
  if (!once) talk(`Checks every ${interval_s} s, keeps in ${folder}; Ctrl-C ends it.`)
  const done = await runProbe(settings, {
    folder, talk, stop: stop.signal, clock: Date.now, tick: () => performance.now(), random: Math.random, readRadio: () => readModem(modem, Date.now), accessOf, chargingOf,
    interval_ms: (asked_s) => Math.max(interval_s, asked_s ?? 0) * 1_000,
    told: (each) => void process.stdout.write(json ? `${JSON.stringify(asJson(each))}\n` : asText(each, settings.daily_bytes)),
  }, store, once)
  await store.close()
  if (done !== null && done.verdict.advice !== 'send' && process.exitCode === undefined) process.exitCode = exits.found
}

function settingsOf(options: Options): ProbeSettings {
  const platform = address(options, 'server')
  if (platform === null) throw new CommandFailure(exits.usage, 'Name the platform: --server https://kawal.example')
  const { station } = options
  if (station === undefined || !Value.Check(StationCode, station)) throw new CommandFailure(exits.usage, `--station takes the 13 digits of a station: village (10) and number (3); not ${station ?? 'nothing'}.`)
  return {
    station, code: letterCode(options['code'] ?? process.env['KAWAL_PROBE_CODE']), targets: { platform, internet: address(options, 'internet'), election: address(options, 'election') },
    accessPoint: text(options, 'accessPoint', 'access-point', /^.{1,64}$/, 'the id of an access point, at most 64 characters'), sim: text(options, 'sim', 'sim', /^[0-9]{5,6}$/, 'a PLMN code, as 51010'),
    access: text(options, 'access', 'access', /^(cellular|wifi|wired)$/, 'cellular, wifi or wired') as ProbeSettings['access'], daily_bytes: numberOption(options, 'dailyMb', 100_000, 'daily-mb') * 1_000_000, limits: checkLimits,
  }
}

function letterCode(given: string | undefined): string | null {
  if (given === undefined) return null
  const read = readLetterCode(given)
  if (read.ok) return read.value
  throw new CommandFailure(exits.usage, read.error === 'code_form' ? '--code takes 17 symbols as the letter shows them: XXXX-XXXX-XXXX-XXXX-X.' : 'A symbol of --code is mistyped: its last one, the check, does not fit. Read it in the letter again.')
}

function address(options: Options, name: string): string | null {
  const given = options[name]
  if (given === undefined) return null
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) throw new CommandFailure(exits.usage, `--${name} takes an address with https:// or http://, not ${given}.`)
  return given
}

function text(options: Options, key: string, name: string, form: RegExp, what: string): string | null {
  const given = options[key]
  if (given === undefined) return null
  if (!form.test(given)) throw new CommandFailure(exits.usage, `--${name} takes ${what}; not ${given}.`)
  return given
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CommandFailure(exits.missing, `${folder} cannot be made or written: ${(error as Error).message}. Give another folder with --data.`)
  }
}

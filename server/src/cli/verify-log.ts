import { statSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { minute_ms, rfc3339, second_ms } from '@kawal/core/kernel/clock.ts'
import type { Alarm } from '@kawal/core/ledger/follow.ts'
import type { HeadTrust } from '@kawal/core/ledger/head.ts'
import { formatVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { isQuorum } from '@kawal/core/ledger/policy.ts'
import { openMirror } from '../verify/mirror.ts'
import { createEntryReader } from '../verify/records.ts'
import { openSeen } from '../verify/seen.ts'
import { NoAnswer, sourceOf } from '../verify/source.ts'
import { openWatch, type WatchEvent } from '../verify/watch.ts'
import { CommandFailure, exits } from './exits.ts'
import { givenKey } from './given.ts'
import { onInterrupt } from './interrupt.ts'
import { numberOption, type Options } from './options.ts'
import { policyFile } from './policy-file.ts'

type Audited = Extract<WatchEvent, { kind: 'audited' }>

const key_bytes_max = 10_000

/** `kawal verify log WHERE`: whether every file of a log is what its key signed, from an address or a folder; with `--follow` for as long as it runs. */
export async function verifyLog(where: string, options: Options): Promise<void> {
  const { state, mirror: copy, follow, json } = options
  if (state !== undefined && statSync(state, { throwIfNoEntry: false })?.isFile() === true)
    throw new CommandFailure(exits.usage, `--state takes a folder, and ${state} is a file. A checkpoint of before goes on as the file "checkpoint" in a new folder.`)
  const [every_ms, silence_ms] = [numberOption({ every: '30', ...given(options) }, 'every') * second_ms, options['silence'] === undefined ? Infinity : numberOption(options, 'silence') * minute_ms]
  const source = sourceOf(where, after)
  const named = trustOf(options)
  const text = named.key ?? Buffer.from(await answered(() => source.read('key', key_bytes_max)) ?? missing(`${source.place} names no key: give the log's with --key.`)).toString('utf8').trim()
  const trust = named.trust ?? alone(givenKey(text), witnessesOf(options))
  const entries = createEntryReader(options['records'] === undefined ? 0 : undefined)
  try {
    const say = json === undefined ? printer(named.key !== null, follow !== undefined) : jsonPrinter(named.key !== null)
    const watch = await answered(() => openWatch({
      source, key: text, trust, clock: () => Date.now(), entries, silence_ms, told: say,
      seen: state === undefined ? null : openSeen(state), mirror: copy === undefined ? null : openMirror(copy), ...(process.stderr.isTTY ? { progress } : {}),
    }))
    if (follow === undefined) await answered(async () => thrown(await watch.look()))
    else await keepLooking(watch, every_ms)
    if (watch.hasFound()) process.exitCode = exits.found
  } finally {
    await entries.close()
  }
}

/** Whom to believe: a policy in whole; else a key, or what the log names, and witnesses who must all have signed. */
function trustOf(options: Options): { readonly key: string | null; readonly trust: HeadTrust | null } {
  const { key = null, policy: path } = options
  if (path === undefined) return { key, trust: null }
  if (options['witnesses'] !== undefined) throw new CommandFailure(exits.usage, 'Give --policy or --witnesses: a policy names the witnesses too.')
  const policy = policyFile(path, '--policy')
  const [first, second] = key === null ? policy.logs.map((each) => each.key) : [givenKey(key)]
  if (first === undefined || second !== undefined) throw new CommandFailure(exits.usage, `--policy ${path} names ${first === undefined ? 'no log' : 'several logs'}: say with --key which one this is.`)
  return { key: formatVerifierKey(first), trust: { logs: [{ key: first }], witnesses: policy.witnesses, isEnough: (names) => isQuorum(policy, names) } }
}
const witnessesOf = (options: Options): HeadTrust['witnesses'] => (options['witnesses'] ?? '').split(',').filter((each) => each !== '').map((each) => givenKey(each, 'cosignature')).map((each) => ({ name: each.name, key: each }))
const alone = (key: VerifierKey, witnesses: HeadTrust['witnesses']): HeadTrust => ({ logs: [{ key }], witnesses, isEnough: (names) => names.size === witnesses.length })

/** An option that was not given is no word at all. */
const given = (options: Options): Options => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
const missing = (sentence: string): never => {
  throw new CommandFailure(exits.missing, sentence)
}
const thrown = (error: NoAnswer | null): void => {
  if (error !== null) throw error
}

async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof NoAnswer ? new CommandFailure(exits.missing, error.message) : error
  }
}

async function keepLooking(watch: Awaited<ReturnType<typeof openWatch>>, every_ms: number): Promise<void> {
  const stop = new AbortController()
  onInterrupt(() => stop.abort())
  while (!watch.isOver() && !stop.signal.aborted) {
    const unanswered = await watch.look()
    if (unanswered !== null) process.stderr.write(`${rfc3339(Date.now())} ${unanswered.message}\n`)
    if (!watch.isOver()) await after(every_ms, undefined, { signal: stop.signal }).catch(() => undefined)
  }
}

const progress = (entries: number, size: number): void => void process.stderr.write(`\r${entries} of ${size} entries${entries === size ? '\n' : ''}`)

const faults = {
  missing: 'is not there', length: 'has not the length that it must have', cut: 'ends within an entry', other: 'is not what the checkpoint says',
  root_other: 'names another root than the tiles at the right edge of the log make', record: 'has a record that the key which it names did not sign',
} as const

function printer(isGiven: boolean, isFollowing: boolean): (event: WatchEvent) => void {
  let isFirst = true
  return (event) => {
    if (event.kind === 'alarm') return void process.stderr.write(`${isFollowing ? `${rfc3339(event.alarm.at)} ` : ''}${alarmSentence(event.alarm)}${event.evidence === null ? '' : ` Both checkpoints are in ${event.evidence}: show them.`}\n`)
    for (const { path, fault } of event.findings) process.stderr.write(`${path} ${faults[fault]}.\n`)
    if (event.findings.length > 0) return
    if (!isFirst) return void process.stdout.write(`${event.head.checkpoint.size} entries, and it began with the ${event.consistentWith} that were seen before.\n`)
    isFirst = false
    process.stdout.write(summaryOf(event))
    if (!isGiven) process.stdout.write('The key came from the log itself. Hold it against the one that you were given, or name that one with --key.\n')
  }
}

function summaryOf({ head: { checkpoint, witnesses, others }, consistentWith, tally: { kinds, records } }: Audited): string {
  const lines = [
    `${checkpoint.origin}: ${checkpoint.size} entries are those that its key signed, and every tile is.`,
    ...Object.entries(kinds).map(([kind, count]) => `  ${kind.padEnd(12)}${count}`),
    `  root        ${Buffer.from(checkpoint.root).toString('base64')}`,
    ...witnesses.map(({ name, at_s }) => `  witness     ${name}, ${rfc3339(at_s * second_ms)}`),
    ...others.map((name) => `  signed too  ${name}; its key is not known here, and nothing was checked of it`),
    ...(records === null ? [] : [`Of the records ${records.signed} hold by keys that the log enrolled; of ${records.unknown} it has no key.`]),
    ...(consistentWith === null ? [] : [`It begins with the ${consistentWith} entries that were seen before.`]),
  ]
  return `${lines.join('\n')}\n`
}

function alarmSentence(alarm: Alarm): string {
  switch (alarm.code) {
    case 'forked': return `The log was forked: two trees of ${alarm.shown.checkpoint.size} entries were signed.`
    case 'inconsistent': return `The log was changed or forked: nothing proves that its ${alarm.shown.checkpoint.size} entries and the ${alarm.seen.checkpoint.size} that were seen before are one history.`
    case 'rolled_back': return `The log went back: ${alarm.seen.checkpoint.size} entries were seen, and it shows ${alarm.shown.checkpoint.size}.`
    case 'unsigned': return `The checkpoint is not one that is believed (${alarm.fault}; spec/ledger.md says what that is).`
    case 'unanswered': return `The log is silent: no signed checkpoint came since ${rfc3339(alarm.since)}.`
    case 'still': return `The log stands still: no newer checkpoint came since ${rfc3339(alarm.since)}.`
  }
}

/** One line an event. */
function jsonPrinter(keyGiven: boolean): (event: WatchEvent) => void {
  const write = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
  return (event) => {
    if (event.kind === 'alarm') {
      process.stderr.write(`${alarmSentence(event.alarm)}\n`)
      return write({ alarm: event.alarm.code, at: event.alarm.at, evidence: event.evidence })
    }
    const { head: { checkpoint, witnesses, others }, consistentWith, findings, tally: { kinds, records } } = event
    for (const { path, fault } of findings) process.stderr.write(`${path} ${faults[fault]}.\n`)
    write({ origin: checkpoint.origin, size: checkpoint.size, root: Buffer.from(checkpoint.root).toString('base64'), counts: kinds, consistentWith, keyGiven, witnesses, others, records: records === null ? null : { ...records, wrong: records.wrong.length }, findings })
  }
}

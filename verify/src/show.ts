import { zoneOf } from '@kawal/core/register/zone.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { clockOf, dayOf, put, type Language } from '@kawal/sigmon/src/face/format.ts'
import { recapWords } from '@kawal/sigmon/src/face/recap.ts'
import type { Content } from './record.ts'
import type { State, Step, Verdict } from './step.ts'
import type { Case } from './verification.ts'
import type { Words } from './words/id.ts'

/** A shape for each state, besides its word and its colour. */
export const shapes: Readonly<Record<State | Verdict, string>> = { holds: '✓', wrong: '✕', short: '◔', noted: '!', unchecked: '–', partly: '◐', nothing: '–' }

/** A code's shape in the middle of a sentence: 64 signs of hex are looked at by nobody. */
const short = (value: string): string => (/^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 8)}…${value.slice(-8)}` : value)

/** What a step found, as a sentence. @param zone of the station; the nation's papers are in WIB */
export function sentence(w: Words, language: Language, zone: string, { finding, values }: Step): string {
  const shown = Object.entries(values).map(([name, value]): [string, string | number] => [name, name === 'at' ? when(Number(value), zone, language) : typeof value === 'string' ? short(value) : value.toLocaleString(language === 'id' ? 'id-ID' : 'en-GB')])
  return put(w.finding[finding] ?? finding, Object.fromEntries(shown))
}

const when = (at: number, zone: string, language: Language): string => `${dayOf(at, zone, language)}, ${clockOf(at, zone, true)}`
export const zoneFor = (content: Content | null): string => zoneOf(content?.recap.station ?? '') ?? 'Asia/Jakarta'

/** Titles of the steps of a state, each once. */
export const titles = (w: Words, { parts }: Case, state: State): string => [...new Set(parts.flatMap(({ name, steps }) => steps.filter((step) => step.state === state).map(({ id }) => `${w.step[id] ?? id}${name === 'delivery' && !['names', 'answer', 'delivery'].includes(id) ? ` (${w.part['delivery']})` : ''}`)))].join(', ')

export function counted({ parts }: Case): { readonly holds: number; readonly wrong: number; readonly left: number } {
  const steps = parts.flatMap((part) => part.steps)
  const of = (...states: readonly State[]): number => steps.filter(({ state }) => states.includes(state)).length
  return { holds: of('holds'), wrong: of('wrong'), left: of('unchecked', 'short') }
}

export const contestName = (language: Language, { contest }: Recap): string => recapWords(language).contest[contest] ?? contest

interface Fact { readonly name: string; readonly value: string; readonly isCode: boolean }

/** What a record says beside its numbers. */
export function factsOf(w: Words, language: Language, { recap, envelope }: Content): Fact[] {
  const { station, madeAt, clockOffset_ms, sequence, previous, replaces, build, place } = recap
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['station', station, false], ['contest', contestName(language, recap), false], ['madeAt', when(madeAt, zoneOf(station) ?? 'Asia/Jakarta', language), false], ['clock', clockText(w, language, clockOffset_ms), false],
    ['place', place === null ? w.placeNone : put(w.placeAt, { latitude: place.latitude.toFixed(5), longitude: place.longitude.toFixed(5), accuracy: place.accuracy_m }), false],
    ['sequence', String(sequence), false], ['previous', previous === null ? w.none : hexOf(previous), previous !== null], ['replaces', replaces === null ? w.none : hexOf(replaces), replaces !== null],
    ['kid', hexOf(envelope.kid), true], ['build', build.every((byte) => byte === 0) ? w.buildUnknown : hexOf(build), true],
  ]
  return rows.map(([name, value, isCode]) => ({ name: w.fact[name] ?? name, value, isCode }))
}

function clockText(w: Words, language: Language, offset_ms: number | null): string {
  if (offset_ms === null) return w.clockNever
  const seconds = Math.round(Math.abs(offset_ms) / 1_000)
  // The server's clock less the phone's: below zero the phone is ahead.
  return seconds === 0 ? w.clockSame : put(offset_ms < 0 ? w.clockAhead : w.clockBehind, { s: seconds.toLocaleString(language === 'id' ? 'id-ID' : 'en-GB') })
}

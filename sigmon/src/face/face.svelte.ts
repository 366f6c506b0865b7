import { getContext, setContext } from 'svelte'
import type { Session, SessionState } from '../session.ts'
import { id, type Words } from '../words/id.ts'
import { bytesOf, clockOf, dayOf, locale, rateOf, whenOf, type Language } from './format.ts'
import { hashOf, readRoute, type Page, type Route } from './route.ts'

const tick_ms = 5_000

/** `beforeinstallprompt`: only some browsers ask, and only once. */
export interface InstallPrompt extends Event {
  prompt(): Promise<unknown>
}

/** What every screen shares: the session's state, the words, where we are, the time. */
interface Face {
  readonly session: Session
  readonly state: SessionState
  readonly language: Language
  readonly w: Words
  readonly route: Route
  readonly online: boolean
  readonly now: number
  install: InstallPrompt | null
  /** 1 when a problem report is begun and not given. */
  drafts: number
  /** The guide was read or put off. */
  guided: boolean
  speak(language: Language): Promise<void>
  go(page: Page, part?: string): void
  place(at: string | number, seconds?: boolean): string
  /** With its day, unless that is today. */
  when(at: string | number): string
  day(at: string | number): string
  bytes(count: number): string
  rate(kbps: number | null): string
  number(value: number | null | undefined, unit: string, digits?: number): string
}

/** Local settings of the face: a phone that refuses storage (private window) still shows everything. */
export const remembered = (name: string): string | null => {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}
export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // Nothing that matters is kept here; the session says what it cannot store.
  }
}

export const draft_name = 'sigmon.draft'

/** What the address asks for, or what was chosen before; Indonesian otherwise. */
export const languageAsked = (): Language => ((new URLSearchParams(location.search).get('bahasa') ?? remembered('sigmon.language')) === 'en' ? 'en' : 'id')

/** English comes when it is asked for: most phones never do. */
export const loadWords = async (language: Language): Promise<Words> => (language === 'id' ? id : (await import('../words/en.ts')).en)

/** @param words those of `languageAsked`, or Indonesian where they could not be loaded */
export function createFace(session: Session, words: Words): Face {
  let w = $state.raw(words)
  let language = $state<Language>(words === id ? 'id' : 'en')
  let state = $state.raw(session.state())
  let route = $state.raw(readRoute(location.hash))
  let online = $state(navigator.onLine)
  let now = $state(Date.now())
  const shared = $state<{ install: InstallPrompt | null; drafts: number; guided: boolean }>({ install: null, drafts: remembered(draft_name) === null ? 0 : 1, guided: remembered('sigmon.guided') !== null })
  const zone = (): string => state.identity?.station.zone ?? 'Asia/Jakarta'

  session.subscribe((next) => {
    state = next
    now = Date.now()
  })
  addEventListener('hashchange', () => (route = readRoute(location.hash)))
  addEventListener('online', () => (online = true))
  addEventListener('offline', () => (online = false))
  setInterval(() => (now = Date.now()), tick_ms)

  return {
    session,
    get state() { return state }, get language() { return language }, get w() { return w }, get route() { return route }, get online() { return online }, get now() { return now },
    get install() { return shared.install }, set install(prompt) { shared.install = prompt },
    get drafts() { return shared.drafts }, set drafts(count) { shared.drafts = count },
    get guided() { return shared.guided },
    set guided(done) {
      shared.guided = done
      remember('sigmon.guided', done ? '1' : null)
    },
    async speak(next) {
      // Without the file nothing changes: half a screen in each language helps nobody.
      const loaded = await loadWords(next).catch(() => null)
      if (loaded === null) return
      w = loaded
      language = next
      remember('sigmon.language', next)
      // The shell's notification speaks it too; once the screens do.
      if (session.shell !== null) setTimeout(() => void session.choose({}))
    },
    go(page, part = '') {
      location.hash = hashOf(page, part)
    },
    place: (at, seconds = false) => clockOf(at, zone(), seconds),
    when: (at) => whenOf(at, now, zone(), language),
    day: (at) => dayOf(at, zone(), language),
    bytes: (count) => bytesOf(count, language),
    rate: (kbps) => (kbps === null ? w.unknown : rateOf(kbps, language)),
    number: (value, unit, digits = 0) => (value === null || value === undefined ? w.unknown : `${value.toLocaleString(locale(language), { maximumFractionDigits: value !== 0 && Math.abs(value) < 1 ? Math.max(1, digits) : digits })} ${unit}`),
  }
}

const key = Symbol('face')
export const shareFace = (face: Face): Face => setContext(key, face)
export const useFace = (): Face => getContext<Face>(key)

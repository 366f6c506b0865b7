import { readRadio, sampleRadio, type RadioReading } from '@kawal/core/measurement/radio-reading.ts'
import type { CheckResult } from '../src/check/check.ts'
import type { Session, SessionShell, SessionState } from '../src/session.ts'

/** A shell, made up, in the states in which the screens look different. */
type Shell = NonNullable<SessionState['shell']>

const cell = { registered: null, secondary: null, technology: 'lte', rsrpDbm: null, rsrqDb: null, sinrDb: null, rscpDbm: null, ecioDb: null, rssiDbm: null, ageMs: 400 } as const
const about = { readAt: new Date(Date.now() - 8_000).toISOString(), source: 'android', platform: 'android 14', airplane: false, mockLocation: false } as const
/** A phone with two cards, with 5G beside LTE, neighbours, values that are old and one that cannot be. */
export const given = {
  ...about,
  slots: [
    { slot: 0, dataSim: false, plmn: '51010', cells: [{ ...cell, registered: true, rsrpDbm: -84, rsrqDb: 9, ageMs: 260_000 }] },
    { slot: 1, dataSim: true, plmn: '51011', simPlmn: '51011', cells: [{ ...cell, registered: true, rsrpDbm: -113, rsrqDb: -15, sinrDb: -3 }, { ...cell, secondary: true, technology: 'nr', rsrpDbm: -104, sinrDb: 3.5 }, { ...cell, registered: false, rsrpDbm: -119 }, { ...cell, registered: false, rsrpDbm: -122 }] },
  ],
}

const read = (from: unknown): RadioReading => {
  const reading = readRadio(from)
  if (!reading.ok) throw new Error(reading.error)
  return reading.value
}

/** What a check takes of it. */
export function radioOf(from: unknown): Pick<CheckResult, 'reading' | 'radio' | 'technology' | 'sim' | 'dropped'> {
  const reading = read(from)
  return { reading, ...sampleRadio(reading, Date.parse(reading.readAt), Date.now()) }
}
export const refusedReading = { ...about, mockLocation: true, gap: 'permission', slots: [] }

const hash = (pair: string): string => pair.repeat(32)
export const published = { versionCode: 7, versionName: '1.7', sha256: hash('9f'), certificate: hash('4c'), leaf: 4_812 } as const
export const allowed: Shell = {
  permissions: { location: 'granted', notifications: 'granted', precise: true, locationOn: true, batteryFree: true },
  about: { versionCode: 7, versionName: '1.7', sha256: hash('9f'), certificate: hash('4c'), platform: 'android 14' },
  background: false, waits: false, fault: null, over: null, held: null, gap: null,
}
export const unasked: Shell = { ...allowed, permissions: { location: 'askable', notifications: 'blocked', precise: false, locationOn: true, batteryFree: false } }

/** Ever nearer, then a wall: what the bridge reads on a walk, dBm. */
const walk_dbm: readonly (number | null)[] = [-118, -112, -104, -97, -108, null]

/** @param change puts a part of the state in place */
export function playShell(state: () => SessionState, change: (part: Partial<SessionState>) => void): Pick<Session, 'radio' | 'shell' | 'askAndroid'> {
  if (state().shell === null) return { radio: null, shell: null, askAndroid: () => Promise.resolve() }
  let step = 0
  const allow = (part: Partial<NonNullable<Shell['permissions']>>): void => {
    const { shell } = state()
    if (shell?.permissions != null) change({ shell: { ...shell, permissions: { ...shell.permissions, ...part } } })
  }
  const shell: SessionShell = {
    permit: (what) => Promise.resolve(allow(what === 'location' ? { location: 'granted', precise: true } : { notifications: 'granted' })),
    settings: (of) => Promise.resolve(of === 'battery' ? allow({ batteryFree: true }) : undefined),
    save: (name) => Promise.resolve(name.endsWith('.json')), open: () => Promise.resolve(true), look: () => Promise.resolve(),
  }
  return {
    shell, askAndroid: () => Promise.resolve(),
    radio: () => {
      const dbm = walk_dbm[step++ % walk_dbm.length] ?? null
      const heard = read({ ...given, readAt: new Date().toISOString(), gap: dbm === null ? 'location_off' : null })
      return Promise.resolve({ technology: 'lte', sim: '51011', dropped: [], fault: null, readTick: 0, reading: dbm === null ? { ...heard, slots: [] } : heard, radio: dbm === null ? null : { source: 'android', ageMs: 300, rsrpDbm: dbm, rsrqDb: null, sinrDb: null, rssiDbm: null } })
    },
  }
}

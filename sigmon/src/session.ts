import type { OfficerProblem, PackForm, SigmonConfig } from '@kawal/contract/sigmon.ts'
import type { Enrolled, Sample } from '@kawal/contract/report.ts'
import type { About, DutyState, Permissions } from '@kawal/contract/shell.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import type { CheckResult } from './check/check.ts'
import type { Radio } from './check/radio.ts'
import type { Recaps } from './recap/kept.ts'

/** What the screens show, and what they may do. The session is the only thing that a screen talks to. */

export type Spend = 'limit' | 'saver' | 'metered' | 'roaming'

export interface Kept {
  readonly sequence: number
  readonly sample: Sample
  readonly state: 'waiting' | 'sent' | 'refused'
  readonly sentAt: string | null
  readonly reason: string | null
}

/** An access point as seen from where the phone is, or from its station. */
export interface NearPoint {
  readonly id: string
  readonly name: string
  readonly kind: 'ai' | 'satellite' | 'bts'
  readonly latitude: number
  readonly longitude: number
  readonly distance_km: number
  /** Clockwise from true north. */
  readonly bearing_deg: number
  /** On foot, straight line times a detour; null when it is too far to walk. */
  readonly walk_min: number | null
  readonly working: boolean | null
  /** When somebody last said whether it works. */
  readonly saidAt: string | null
  readonly note: string
  /** The plan sends this station here, in this slot (minutes after the station is left). */
  readonly assigned: { readonly from_min: number; readonly for_min: number } | null
}

export interface OwnStation {
  readonly code: string
  readonly village: string
  readonly readiness: 'a' | 'b' | 'c' | 'd' | 'e' | 'unknown' | null
  /** Names of operators, KPU's word for each. */
  readonly operators: readonly { readonly id: string; readonly name: string; readonly word: 'kuat' | 'sedang' | 'lemah' | 'tidak_ada' | 'tanpa_data' }[]
  readonly best: string | null
  readonly second: string | null
  readonly position: { readonly latitude: number; readonly longitude: number; readonly grade: 'fix' | 'venue' | 'village' } | null
  readonly better: { readonly latitude: number; readonly longitude: number; readonly distance_km: number; readonly bearing_deg: number; readonly operator: string | null } | null
  /** From the pack that anybody may have, which says nothing of operators: their words come once this phone is enrolled. */
  readonly open: boolean
}

/** The Android app as the platform publishes it, `GET /v1/android`. Hashes in hex; `leaf`: where it stands in the log of acts. */
export interface Published {
  readonly versionCode: number
  readonly versionName: string
  readonly sha256: string
  readonly certificate: string
  readonly leaf: number | null
}

/** What the native shell around the page can do; nothing here rejects. */
export interface SessionShell {
  /** Asks by the phone's own question: the screen has given the reason before. */
  permit(what: 'location' | 'notifications'): Promise<void>
  /** Opens the phone's settings. */
  settings(of: 'app' | 'battery' | 'location'): Promise<void>
  /** The officer says where. @returns whether it was saved */
  save(name: string, content: Blob): Promise<boolean>
  /** An address of https, outside of the app. @returns false when the shell does not do it */
  open(url: string): Promise<boolean>
  /** Asks what is installed: the answer stands in the state. */
  look(): Promise<void>
}

export interface SessionState {
  readonly ready: boolean
  /** Null before enrolment. `provisional`: enrolled without a network, the server has not confirmed it yet. */
  readonly identity: { readonly station: Enrolled['station']; readonly provisional: boolean; readonly role: Side } | null
  /** Why the server refused an enrolment that was made offline; a word of `EnrolFault`, or the server's own sentence. */
  readonly refusal: string | null
  readonly practice: boolean
  readonly sim: string | null
  readonly accessPoint: string | null
  /** The officer said that this network is paid by the byte, or abroad. */
  readonly metered: boolean
  /** Bars that the officer read off the phone less than ten minutes ago: they go along with the next checks. */
  readonly bars: number | null
  readonly duty: {
    readonly on: boolean
    readonly since: number | null
    readonly nextDueAt: number | null
    /** The screen is kept awake (Screen Wake Lock). */
    readonly awake: boolean
    readonly canStayAwake: boolean
  }
  /** The platform asks for a check here and now: it is said for some minutes, or until there was one. */
  readonly checkWanted: boolean
  readonly check: { readonly running: boolean; readonly done: number; readonly steps: number; readonly result: CheckResult | null; readonly at: number | null }
  readonly fullTest: { readonly running: boolean; readonly phase: 'down' | 'up' | null; readonly downKbps: number | null; readonly upKbps: number | null; readonly minRttMs: number | null; readonly bytes: number; readonly refused: Spend | 'busy' | 'offline' | null }
  readonly counts: { readonly waiting: number; readonly sent: number; readonly refused: number; readonly thinned: number }
  readonly newest: readonly Kept[]
  /** Why what waits is not sent yet, and when it is tried again at the latest. `status` 0: no answer. */
  readonly sending: { readonly status: number; readonly retryAt: number } | null
  readonly budget: { readonly today: number; readonly election: number; readonly daily: number; readonly refused: Spend | null }
  readonly config: SigmonConfig | null
  /** The configuration was to be renewed by now: it still counts, and is said to be old. */
  readonly configExpired: boolean
  readonly pack: { readonly version: string; readonly madeAt: string; readonly bytes: number; readonly stale: boolean } | null
  readonly own: OwnStation | null
  readonly helpLines: SigmonConfig['helpLines']
  /** Forms of the contests held here, from the pack. */
  readonly forms: readonly PackForm[]
  /** `full`: the phone has no room, and the newest are held in memory. `many`: so much waits that no more is kept until some of it is sent. */
  readonly storage: 'ok' | 'low' | 'full' | 'many'
  /** The platform signs with keys that this phone does not know: only a new letter makes it take them. */
  readonly keysChanged: boolean
  /** A new version of the app waits to be taken; it is never taken in the middle of anything. */
  readonly update: boolean
  readonly problems: readonly OfficerProblem[]
  /** Null in a browser. */
  readonly shell: {
    /** Null: it has not said. */
    readonly permissions: Permissions | null
    readonly about: About | null
    /** It reports in the page's place: the screen may be off. */
    readonly background: boolean
    /** The page reports until the platform has confirmed this phone. */
    readonly waits: boolean
    /** Its own sentence, where it did not do what was asked: the page reports in its place. */
    readonly fault: string | null
    /** The duty that it had is over: it knows nothing of it, or it ended by the notification or by itself. */
    readonly over: 'lost' | 'ended' | null
    readonly held: DutyState['held']
    readonly gap: DutyState['gap']
  } | null
  /** Null: the platform hands out no Android app; undefined: not known. */
  readonly android: Published | null | undefined
}

export type EnrolFault = 'station_form' | 'code_form' | 'code_check' | 'code_wrong' | 'role_other' | 'station_unknown' | 'key_unusable' | 'storage'

export interface Session {
  state(): SessionState
  /** Called at once and at each change. @returns how to stop */
  subscribe(told: (state: SessionState) => void): () => void
  /**
   * Checks form, check symbol and, with the district's pack, the code itself; works without a network.
   * @param kid the key that the letter's QR names
   * @returns what is wrong, or null
   */
  enrol(station: string, code: string, kid?: string | null): Promise<EnrolFault | null>
  /** Fetches the pack of a district, so that a code can be checked without a network later. */
  prepare(district: string): Promise<boolean>
  check(full: boolean): Promise<void>
  /** What a full test may cost now, bytes; a reason when it may not run. */
  fullTestCost(): { readonly bytes: number; readonly refused: Spend | null }
  runFullTest(agreed: boolean): Promise<void>
  startDuty(): Promise<void>
  endDuty(): Promise<void>
  keepAwake(on: boolean): Promise<void>
  choose(choice: { readonly sim?: string | null; readonly accessPoint?: string | null; readonly practice?: boolean; readonly dailyBytes?: number; readonly metered?: boolean; readonly bars?: number | null }): Promise<void>
  sendNow(): Promise<void>
  /** The nearest access points of the pack from here, or from the station where no position is given; nearest first. */
  nearest(from: { readonly latitude: number; readonly longitude: number } | null, count: number): readonly NearPoint[]
  /** One cheap probe for "warmer, colder": median round-trip time of a few pings, ms; null when nothing answers. Kept in the budget. */
  feel(): Promise<{ readonly rttMs: number | null; readonly dbm: number | null; readonly refused: Spend | null }>
  sendPosition(at: { readonly latitude: number; readonly longitude: number; readonly accuracyM: number }): Promise<boolean>
  reportProblem(kind: OfficerProblem['kind'], text: string): Promise<void>
  answerProblem(id: string, word: 'fixed' | 'still'): Promise<void>
  takeUpdate(): void
  /** What records recaps, loaded when it is asked for. */
  recaps(): Promise<Recaps>
  /** Reads the radio through the bridge, without the network; null where there is none. */
  readonly radio: (() => Promise<Radio>) | null
  /** Null in a browser. */
  readonly shell: SessionShell | null
  /** Asks what Android app the platform hands out, now. */
  askAndroid(): Promise<void>
  /** Everything on the phone as one JSON file: the last way out when nothing else works. */
  exportFile(): Promise<Blob>
  stop(): void
}

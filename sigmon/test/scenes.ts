import type { Sample } from '@kawal/contract/report.ts'
import type { OfficerProblem, SigmonConfig } from '@kawal/contract/sigmon.ts'
import { bearing_deg, distance_km, type Position } from '@kawal/core/geo/distance.ts'
import type { CheckResult } from '../src/check/check.ts'
import { playedRecaps } from './recaps.ts'
import { allowed, given, playShell, published, radioOf, refusedReading, unasked } from './shell.ts'
import type { Kept, NearPoint, OwnStation, Session, SessionState } from '../src/session.ts'

/** States of the session, made up, in the middle of Flores; the screens are shown on them and looked at. */
const minute_ms = 60_000
const now = Date.now()
const iso = (at: number): string => new Date(at).toISOString()
const home: Position = { latitude: -8.61277, longitude: 120.46513 }

const config: SigmonConfig = {
  version: 7, issuedAt: iso(now - 3_600_000), validUntil: iso(now + 7 * 86_400_000), keys: [], intervalS: 300, jitterShare: 0.2, spreadS: 60,
  probes: { routine: 3, check: 10, timeoutMs: 4_000, reachEvery: 6 }, targets: { internet: null, election: null }, fullTestShare: 0,
  budget: { dailyBytes: 5_000_000, checkDownBytes: 150_000, checkUpBytes: 75_000, fullTestBytes: 20_000_000 }, helpLines: [],
}
const helpLines: SigmonConfig['helpLines'] = [{ name: 'PPS Desa Golo Wangkung', kind: 'tel', number: '+6281234567890' }, { name: 'Bantuan KPU Manggarai', kind: 'sms', number: '08123456' }, { name: 'Bantuan Sigmon', kind: 'whatsapp', number: '+628111222333' }]

const result = (part: Partial<CheckResult>): CheckResult => ({
  rttMs: [61, 58, 72, 64, 66, 190, 63, 61, 60, 65], rttMedianMs: 63.5, rttP95Ms: 190, jitterMs: 18.7, timeouts: 0, broken: 0, reconnects: 0, downKbps: 4_310, upKbps: 1_220, upAtMostKbps: 1_220,
  reach: { internet: 'ok', election: 'ok', platform: 'ok' }, electionStatus: 200, electionSeen: 'ok', dropped: [], radioFault: null, clockOffsetMs: 140, bytes: 236_000, radio: null, technology: null, sim: null, access: 'cellular', cut: [],
  verdict: { advice: 'send', blame: 'nobody', reason: 'fine' }, refused: null, serverTime: now, ...part,
})
const radio = { source: 'android', ageMs: 2_400, rsrpDbm: -97, rsrqDb: -11, sinrDb: 6.5, rssiDbm: null } as const
const electionDown = result({ reach: { internet: 'ok', election: 'http_error', platform: 'ok' }, electionStatus: 503, electionSeen: 'down', dropped: [{ name: 'rsrqDb', value: 7, why: 'out_of_range' }], verdict: { advice: 'wait', blame: 'election_server', reason: 'election_down' }, radio, technology: 'lte' })
const noAnswer = result({
  rttMs: [], rttMedianMs: null, rttP95Ms: null, jitterMs: null, timeouts: 5, downKbps: null, upKbps: null, upAtMostKbps: null, reach: { internet: 'timeout', election: 'timeout', platform: 'timeout' },
  electionStatus: null, clockOffsetMs: null, verdict: { advice: 'move', blame: 'operator', reason: 'no_answer' }, refused: 'limit', bytes: 9_000 })

const sampleAt = (at: number): Sample => ({
  sequence: 1, eventAt: iso(at), sim: '51010', access: 'cellular', accessPoint: null, technology: null, radio: null, rttMs: [60, 64, 71], timeouts: 0, downKbps: null, upKbps: null,
  reach: { internet: 'untested', election: 'untested', platform: 'ok' }, charging: false, nextDueAt: iso(at + 5 * minute_ms),
})
const kept = (sequence: number, state: Kept['state'], reason: string | null = null): Kept => {
  const at = now - (20 - sequence) * 5 * minute_ms
  return { sequence, sample: { ...sampleAt(at), sequence }, state, sentAt: state === 'waiting' ? null : iso(at + 3_000), reason }
}
const newest: readonly Kept[] = [kept(19, 'waiting'), kept(18, 'waiting'), kept(17, 'sent'), kept(16, 'refused', "clock_ahead: eventAt is more than 10 minutes ahead of the server; set the phone's clock"), kept(15, 'sent'), kept(14, 'sent')]

const place = (name: string, kind: NearPoint['kind'], north_km: number, east_km: number, part: Partial<NearPoint> = {}): Omit<NearPoint, 'distance_km' | 'bearing_deg' | 'walk_min'> => ({
  id: name.toLowerCase().replaceAll(' ', '-'), name, kind, latitude: home.latitude + north_km / 111.2, longitude: home.longitude + east_km / 109.9, working: true, saidAt: iso(now - 26 * 3_600_000), note: '', assigned: null, ...part,
})
const points = [
  place('Kantor Desa Golo Wangkung', 'ai', 0.21, 0.26, { note: 'Buka 24 jam pada hari pemungutan; kunci di Pak Sekdes.', assigned: { from_min: 40, for_min: 20 } }),
  place('SDI Watu Weri', 'ai', -0.9, 0.4, { working: null, saidAt: null, note: 'Hubungi penjaga sekolah.' }), place('Puskesmas Wae Codi', 'satellite', 2.1, -1.8, { working: false, note: 'Antre: satu per satu.' }),
  place('BTS Cibal', 'bts', 9, -7, { note: 'Di atas bukit.' }),
]
const own: OwnStation = {
  code: '5310072003004', village: 'Golo Wangkung', readiness: 'd', best: 'Telkomsel', second: null, position: { ...home, grade: 'venue' },
  operators: [{ id: 'telkomsel', name: 'Telkomsel', word: 'lemah' }, { id: 'indosat', name: 'Indosat Ooredoo Hutchison', word: 'tidak_ada' }, { id: 'xlsmart', name: 'XLSmart', word: 'tanpa_data' }],
  better: { latitude: home.latitude + 0.003, longitude: home.longitude - 0.002, distance_km: 0.4, bearing_deg: 326, operator: 'Telkomsel' },
  open: false,
}
const problem = (ticket: string, status: OfficerProblem['status'], part: Partial<OfficerProblem> = {}): OfficerProblem => ({
  id: `id-${ticket}`, kind: 'access_point', text: 'Wi-Fi di kantor desa menyala, tetapi tidak ada internet sejak pagi.', givenAt: iso(now - 90 * minute_ms), ticket, status, with: 'BAKTI', answer: null, changedAt: iso(now - 12 * minute_ms), ...part,
})
const problems: readonly OfficerProblem[] = [
  problem('', 'submitted', { id: 'id-queued', kind: 'signal', text: '' }), problem('', 'cancelled', { id: 'id-refused', kind: 'app', answer: 'Perangkat ini sudah punya 50 laporan.' }),
  problem('KS-20290214-000123', 'resolved', { answer: 'Modem VSAT sudah dinyalakan ulang. Mohon dicoba.' }), problem('KS-20290214-000087', 'inProgress', { kind: 'election_server', with: 'KPU' })]

const nobody: SessionState = {
  ready: true, identity: null, refusal: null, practice: false, sim: null, accessPoint: null, metered: false, bars: null, duty: { on: false, since: null, nextDueAt: null, awake: false, canStayAwake: true },
  check: { running: false, done: 0, steps: 13, result: null, at: null }, fullTest: { running: false, phase: null, downKbps: null, upKbps: null, minRttMs: null, bytes: 0, refused: null },
  counts: { waiting: 0, sent: 0, refused: 0, thinned: 0 }, newest: [], sending: null, budget: { today: 0, election: 0, daily: 5_000_000, refused: null }, config, configExpired: false, pack: null, own: null, helpLines, forms: [],
  storage: 'ok', keysChanged: false, update: false, problems: [], checkWanted: false, shell: null, android: undefined,
}
const station = { code: own.code, village: own.village, district: 'Cibal', regency: 'Kab. Manggarai', province: 'Nusa Tenggara Timur', zone: 'Asia/Makassar', ...home }
const fresh: SessionState = { ...nobody, identity: { station, provisional: false, role: 'officer' } }
const working: SessionState = {
  ...fresh, sim: '51010', counts: { waiting: 2, sent: 41, refused: 1, thinned: 12 }, newest, budget: { today: 1_236_000, election: 8_900_000, daily: 5_000_000, refused: null }, own, problems,
  pack: { version: '9f3c41d2a7b05e16', madeAt: iso(now - 3 * 86_400_000), bytes: 84_210, stale: false },
}

const forms: SessionState['forms'] = [{ contest: 'ppwp', version: '1', title: 'Presiden', votersMax: 300, pages: 2, ballot: 3 }]
export const scenes = {
  recaps: { ...working, forms },
  supervisor: { ...working, forms, identity: { station, provisional: false, role: 'supervisor' } },
  new: { ...nobody, helpLines: [] }, refused: { ...nobody, refusal: 'code_wrong', counts: { waiting: 3, sent: 0, refused: 0, thinned: 0 } }, opening: { ...nobody, ready: false },
  fresh: { ...fresh, identity: { station: { ...station, village: '' }, provisional: true, role: 'officer' }, duty: { ...fresh.duty, canStayAwake: false }, helpLines: [] },
  checking: { ...working, check: { running: true, done: 10, steps: 13, result: null, at: null } },
  send: { ...working, check: { running: false, done: 13, steps: 13, result: result({}), at: now - 8_000 } },
  wait: { ...working, check: { running: false, done: 13, steps: 13, result: electionDown, at: now - 8_000 } },
  move: { ...working, check: { running: false, done: 13, steps: 13, result: noAnswer, at: now - 8_000 }, budget: { today: 4_998_000, election: 12_000_000, daily: 5_000_000, refused: 'limit' } },
  old: { ...working, check: { running: false, done: 13, steps: 13, result: result({ clockOffsetMs: 7_300_000 }), at: now - 43 * minute_ms } },
  duty: { ...working, checkWanted: true, duty: { on: true, since: now - 95 * minute_ms, nextDueAt: now + 3 * minute_ms, awake: true, canStayAwake: true }, sending: { status: 0, retryAt: now + minute_ms } },
  practice: { ...working, practice: true, storage: 'full', update: true },
  testing: { ...working, configExpired: true, fullTest: { running: false, phase: null, downKbps: 18_400, upKbps: 6_020, minRttMs: 41.2, bytes: 17_800_000, refused: null }, budget: { ...working.budget, refused: 'metered' } },
  sent: working,
  // In the native shell: all allowed and read; on duty without radio values and held; before permissions, with another file than is published; broken.
  shell: { ...working, shell: allowed, android: published, check: { running: false, done: 13, steps: 13, result: result(radioOf(given)), at: now - 8_000 } },
  held: { ...working, android: { ...published, versionCode: 8, versionName: '1.8' }, duty: { on: true, since: now - 95 * minute_ms, nextDueAt: null, awake: false, canStayAwake: true }, shell: { ...allowed, background: true, held: 'budget', gap: 'location_off' } },
  unasked: { ...working, shell: unasked, android: { ...published, sha256: 'aa'.repeat(32) }, check: { running: false, done: 13, steps: 13, result: result({ ...radioOf(refusedReading), radio: null }), at: now - 8_000 } },
  failing: { ...working, shell: { ...allowed, fault: 'duty.start: no answer within 6 s', over: 'lost', about: null }, android: null, duty: { on: true, since: now, nextDueAt: now + minute_ms, awake: false, canStayAwake: true } },
  offered: { ...working, android: published },
} as const satisfies Record<string, SessionState>
export type Scene = keyof typeof scenes

/** Ever better, then worse, then nothing: one walk of "warmer, colder". */
const walk_rtt_ms: readonly (number | null)[] = [420, 310, 180, 95, 240, null]
const step_ms = 40

/** A session that plays its part: what a screen asks for happens at once, and is seen in the state. */
export function createPlayed(scene: Scene): Session {
  let state: SessionState = scenes[scene]
  let felt = 0
  let recaps: ReturnType<typeof playedRecaps> | null = null
  const listeners = new Set<(state: SessionState) => void>()
  const change = (part: Partial<SessionState>): void => {
    state = { ...state, ...part }
    for (const told of listeners) told(state)
  }
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, step_ms))
  const dutyOf = (part: Partial<SessionState['duty']>): void => change({ duty: { ...state.duty, ...part } })
  return {
    state: () => state,
    subscribe(told) {
      listeners.add(told)
      told(state)
      return () => void listeners.delete(told)
    },
    async enrol(code, letter) {
      await pause()
      if (letter.length < 17) return 'code_form'
      change({ identity: { station: { ...station, code }, provisional: true, role: 'officer' } })
      return null
    },
    prepare: () => Promise.resolve(true),
    async check() {
      for (let done = 0; done <= 13; done++) {
        change({ check: { running: true, done, steps: 13, result: null, at: null } })
        await pause()
      }
      change({ check: { running: false, done: 13, steps: 13, result: result({}), at: Date.now() } })
    },
    fullTestCost: () => ({ bytes: 20_000_000, refused: state.budget.refused }),
    async runFullTest() {
      change({ fullTest: { ...state.fullTest, running: true, phase: 'down' } })
      await pause()
      change({ fullTest: { ...state.fullTest, running: false, phase: null, downKbps: 18_400, upKbps: 6_020, minRttMs: 41.2, bytes: 17_800_000 } })
    },
    startDuty: () => Promise.resolve(dutyOf({ on: true, since: Date.now(), nextDueAt: Date.now() + 5 * minute_ms })),
    endDuty: () => Promise.resolve(dutyOf({ on: false, since: null, nextDueAt: null })),
    keepAwake: (awake) => Promise.resolve(dutyOf({ awake })),
    choose: ({ dailyBytes, metered, ...choice }) => Promise.resolve(change({ ...choice, budget: { ...state.budget, ...(dailyBytes === undefined ? {} : { daily: dailyBytes }), ...(metered === undefined ? {} : { refused: metered ? 'metered' : null }) } })),
    sendNow: () => Promise.resolve(change({ counts: { ...state.counts, waiting: 0, sent: state.counts.sent + state.counts.waiting }, sending: null })),
    nearest: (from, count) => points.map((point) => {
      const far_km = distance_km(from ?? home, point)
      return { ...point, distance_km: far_km, bearing_deg: bearing_deg(from ?? home, point), walk_min: far_km > 10 ? null : Math.round((far_km * 1.3 * 60) / 4) }
    }).slice(0, count),
    async feel() {
      await pause()
      change({ budget: { ...state.budget, today: state.budget.today + 2_100 } })
      return { rttMs: walk_rtt_ms[felt++ % walk_rtt_ms.length] ?? null, dbm: null, refused: null }
    },
    sendPosition: () => pause().then(() => true),
    reportProblem: (kind, text) => Promise.resolve(change({ problems: [problem('', 'submitted', { id: `id-${state.problems.length}`, kind, text, changedAt: iso(Date.now()) }), ...state.problems] })),
    answerProblem: (id, word) => Promise.resolve(change({ problems: state.problems.map((each) => (each.id === id ? { ...each, status: word === 'fixed' ? 'closed' : 'inProgress' } : each)) })),
    takeUpdate: () => change({ update: false }),
    recaps: () => (recaps ??= playedRecaps(scene === 'recaps' || scene === 'supervisor', () => change({}))),
    ...playShell(() => state, change),
    exportFile: () => Promise.resolve(new Blob([JSON.stringify(state)], { type: 'application/json' })),
    stop: () => listeners.clear(),
  }
}

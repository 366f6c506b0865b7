import { causes, type Cause, type DisturbanceEvidence } from './disturbance.ts'
import type { DetectionState, Ongoing, Shown } from './state.ts'

interface Judged { readonly cause: Cause; readonly confidence: number; readonly causes: DisturbanceEvidence['causes']; readonly signs: DisturbanceEvidence['signs'] }

/** Below this share of the likelihood a cause is not named. */
const confidence_min = 0.5
/** One kind of sign, repeated, says no more than this many nats: reports of one fault are not independent. */
const nats_max = 6
const alarm_nats = 4
const load_nats = 1
const second_drop = { devices_min: 3, nats: 2 }

/** What the signs are worth under each cause: chances of seeing one, as spec/device-model.md and the glossary describe the causes. */
const chances = {
  /** A bad report's radio is strong. */
  strong: { access: 0.15, backhaul: 0.85, core: 0.85, congestion: 0.8, degradation: 0.8 },
  /** A bad report is slow, and lossy. */
  slow: { congestion: 0.9, degradation: 0.25 },
  lossy: { congestion: 0.2, degradation: 0.8 },
  /** A device turned bad only after some minutes. */
  later: { congestion: 0.4, degradation: 0.06 },
} as const

/**
 * Names the cause by the likelihood of its signs (naive Bayes; each kind of sign is capped, since reports of one fault are
 * alike). The operator is left as it is: whose it is stands in who is hit, and is decided before.
 */
export function judgeCause(state: DetectionState, each: Ongoing, shown: Shown): Judged {
  const nats = new Map<Cause, number>()
  const signs: { sign: string; count: number; of: number }[] = []
  const sign = (name: string, count: number, of: number): void => void (of > 0 && signs.push({ sign: name, count, of }))
  const hits = shown.silent + shown.bad
  const provinces = new Set([...each.places].map((place) => Math.floor((state.places.district[place] ?? 0) / 10_000))).size
  sign('silent', shown.silent, hits)
  sign('operators_hit', [...shown.byOperator.values()].filter(({ hits, all }) => hits >= 0.3 * all).length + Number(shown.othersHit > shown.othersGood), state.operators.length)
  sign('provinces', provinces, 38)
  const isBadMostly = shown.bad > shown.silent
  if (each.operator < 0) {
    // Towers go dark when their batteries are empty: more devices fall silent an hour after the first.
    const later = shown.later >= second_drop.devices_min ? second_drop.nats : 0
    nats.set(isBadMostly ? 'congestion' : 'power', 3 + capped(1.5 * shown.unplugged - 1.2 * shown.plugged + later))
    nats.set('undetermined', 0)
    sign('chargers_off', shown.unplugged, shown.unplugged + shown.plugged)
    sign('second_drop', shown.later, shown.silent)
  } else if (isBadMostly) sayQuality(nats, each, shown, sign)
  else saySilence(state, nats, each, shown, provinces, sign)
  // However many alarms say it: they are of one system.
  const suggested = new Set(each.found.alarms.map((id) => state.alarms.get(id)?.alarm.suggests ?? null))
  for (const suggests of suggested) if (suggests !== null) nats.set(suggests, (nats.get(suggests) ?? -2) + alarm_nats)
  sign('alarm', each.found.alarms.length, each.found.alarms.length)
  return { ...named(nats), signs }
}

function sayQuality(nats: Map<Cause, number>, each: Ongoing, shown: Shown, sign: (name: string, count: number, of: number) => void): void {
  const { signs } = each
  const bad = Math.max(signs.badReports, shown.bad)
  const [slow, lossy] = [Math.max(signs.slow, shown.slow), Math.max(signs.lossy, shown.lossy)]
  const of = (cause: 'congestion' | 'degradation'): number => likely(slow, bad, chances.slow[cause]) + likely(lossy, bad, chances.lossy[cause])
  // Load grows; what breaks is broken at once. Either may come otherwise.
  const grown = each.early < 0 ? 0 : Math.max(0, each.devicesMost - each.early)
  const load = each.early < 0 ? 0 : likely(grown, each.devicesMost, chances.later.congestion) - likely(grown, each.devicesMost, chances.later.degradation)
  const lead = capped(of('congestion') - of('degradation')) / 2 + Math.max(-load_nats, Math.min(load_nats, load))
  nats.set('congestion', lead)
  nats.set('degradation', -lead)
  nats.set('undetermined', -nats_max)
  sign('slow', slow, bad)
  sign('lossy', lossy, bad)
  if (each.early >= 0) sign('with_load', grown, each.devicesMost)
}

function saySilence(state: DetectionState, nats: Map<Cause, number>, each: Ongoing, shown: Shown, provinces: number, sign: (name: string, count: number, of: number) => void): void {
  const { signs } = each
  const hits = shown.silent + shown.bad
  const stations = [...each.places].reduce((sum, place) => sum + (state.places.start[place + 1] ?? 0) - (state.places.start[place] ?? 0), 0)
  const size = Math.log(Math.max(2, stations))
  const radios = signs.strong + signs.weak
  // A cell and its neighbours are small, what hangs on one line is larger: normal in the logarithm of stations.
  nats.set('access', -((size - Math.log(14)) ** 2) / (2 * 0.9 ** 2) + capped(likely(signs.strong, radios, chances.strong.access)))
  nats.set('backhaul', -((size - Math.log(120)) ** 2) / (2 * 1.1 ** 2) - 0.2 + capped(likely(signs.strong, radios, chances.strong.backhaul)))
  // A local fault may lie across a border.
  if (provinces >= 2) nats.set('core', provinces >= 3 && stations > 500 ? 8 : stations > 2000 ? 3 : -4)
  if (shown.byPoint > 0.5 * hits) nats.set('access_point', nats_max + 2)
  sign('radio_strong', signs.strong, radios)
  sign('radio_weak', signs.weak, radios)
  sign('access_point', shown.byPoint, hits)
  sign('getting_through', signs.badReports, signs.badReports + shown.silent)
  sign('late_reports', signs.lateBad, signs.lateBad + signs.lateGood)
}

const capped = (nats: number): number => Math.max(-nats_max, Math.min(nats_max, nats))

/** Log-likelihood of `count` of `of` at a chance. */
function likely(count: number, of: number, chance: number): number {
  const safe = Math.min(0.999, Math.max(0.001, chance))
  return count * Math.log(safe) + (of - count) * Math.log(1 - safe)
}

function named(nats: ReadonlyMap<Cause, number>): Omit<Judged, 'signs'> {
  const most = Math.max(...nats.values())
  const shares = [...nats].map(([cause, value]) => ({ cause, nats: Math.round(10 * value) / 10, weight: Math.exp(value - most) }))
  const total = shares.reduce((sum, each) => sum + each.weight, 0)
  shares.sort((a, b) => b.weight - a.weight || causes.indexOf(a.cause) - causes.indexOf(b.cause))
  const best = shares[0]
  const confidence = best === undefined ? 0 : Math.round((100 * best.weight) / total) / 100
  return { cause: best !== undefined && confidence >= confidence_min ? best.cause : 'undetermined', confidence, causes: shares.map(({ cause, nats: value }) => ({ cause, nats: value })) }
}

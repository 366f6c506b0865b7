import type { Instant } from '../kernel/clock.ts'
import { alertOf, isOver, matches, merged, nameOf, type Alert, type Labels, type Matcher, type SaidAlert } from './alert.ts'

/** Who is told together of what. The first route that an alert matches is its route. */
export interface Route {
  readonly name: string
  readonly matchers: readonly Matcher[]
  readonly receivers: readonly Receiver[]
  /** Alerts with equal values of these labels are one notice. */
  readonly groupBy: readonly string[]
  /** A new group gathers for so long. */
  readonly wait_ms: number
  /** What is new in a group waits for this turn. */
  readonly interval_ms: number
  /** What has not changed is told again after so long. */
  readonly repeat_ms: number
}

interface Receiver {
  readonly name: string
  /** Whether it hears of ends. */
  readonly tellsEnd: boolean
}

/** While a source fires, targets with the same values of `equal` are held back: the child of a parent is no news. */
interface Inhibition { readonly source: readonly Matcher[]; readonly target: readonly Matcher[]; readonly equal: readonly string[] }

/** Nobody is told of what matches, from and until an instant. */
interface Mute { readonly id: string; readonly matchers: readonly Matcher[]; readonly from: Instant; readonly until: Instant }

export interface NotifierSettings {
  readonly routes: readonly Route[]
  readonly inhibitions: readonly Inhibition[]
  /** See `alertOf`. */
  readonly resolve_ms: number
}

/** To be delivered to one receiver; then `settle` says how that went. */
export interface Notice {
  readonly id: number
  readonly group: string
  readonly receiver: string
  /** `endsAt` null while it fires. */
  readonly alerts: readonly { readonly labels: Labels; readonly annotations: Labels; readonly startsAt: Instant; readonly endsAt: Instant | null }[]
}

/** What a receiver was told last of a group: names of alerts. */
interface Told { readonly at: Instant; readonly firing: ReadonlySet<string>; readonly over: ReadonlySet<string> }

interface Group {
  readonly key: string
  readonly route: Route
  readonly alerts: Map<string, Alert>
  dueAt: Instant
  hasFlushed: boolean
  readonly told: Map<string, Told>
  /** Receivers that could not be reached: how often in a row, and until when they rest. */
  readonly failing: Map<string, { readonly times: number; readonly until: Instant }>
}

const valuesOf = (labels: Labels, names: readonly string[]): string => JSON.stringify(names.map((name) => labels[name] ?? ''))

const first_pause_ms = 1_000
const pause_ms_max = 10 * 60_000
const kept_ms = 30_000

/**
 * Groups, holds back, mutes, repeats and retries what people are told, as Prometheus' Alertmanager does it (its acceptance
 * tests are the scenarios of the test beside this). It keeps no clock and sends nothing: `turn` at or after `nextAt` gives
 * what is to be delivered.
 */
export function createNotifier(settings: NotifierSettings) {
  const alerts = new Map<string, Alert>()
  const groups = new Map<string, Group>()
  const mutes = new Map<string, Mute>()
  const waiting = new Map<number, { readonly group: Group; readonly receiver: Receiver; readonly told: Told }>()
  /** Told before a start, of groups that are not there yet. */
  const before = new Map<string, Map<string, Told>>()
  let nextId = 1

  function put(said: SaidAlert, now: Instant): void {
    const name = nameOf(said.labels)
    const known = alerts.get(name)
    const fresh = alertOf(said, now, settings.resolve_ms)
    const alert = known === undefined ? fresh : merged(known, fresh, now)
    alerts.set(name, alert)
    const route = settings.routes.find(({ matchers }) => matches(alert.labels, matchers))
    if (route !== undefined) place(route, name, alert, now)
  }

  function place(route: Route, name: string, alert: Alert, now: Instant): void {
    const key = `${route.name} ${valuesOf(alert.labels, route.groupBy)}`
    let group = groups.get(key)
    if (group === undefined) {
      if (isOver(alert, now)) return
      groups.set(key, (group = { key, route, alerts: new Map(), dueAt: now + route.wait_ms, hasFlushed: false, told: before.get(key) ?? new Map(), failing: new Map() }))
      before.delete(key)
    }
    group.alerts.set(name, alert)
    // It has waited elsewhere already.
    if (!group.hasFlushed && alert.startsAt + route.wait_ms < now) group.dueAt = now
  }

  const isMuted = (alert: Alert, now: Instant): boolean => [...mutes.values()].some((mute) => mute.from <= now && now < mute.until && matches(alert.labels, mute.matchers))

  /** Of each inhibition what its sources hold back now: what is a source of it is not. */
  function holdBack(now: Instant): (alert: Alert) => boolean {
    const firing = [...alerts.values()].filter((alert) => !isOver(alert, now))
    const rules = settings.inhibitions.map((rule) => ({ ...rule, held: new Set(firing.filter((alert) => matches(alert.labels, rule.source)).map((alert) => valuesOf(alert.labels, rule.equal))) }))
    return ({ labels }) => rules.some(({ source, target, equal, held }) => held.has(valuesOf(labels, equal)) && matches(labels, target) && !matches(labels, source))
  }

  function flush(group: Group, now: Instant, isHeld: (alert: Alert) => boolean): Notice[] {
    group.hasFlushed = true
    group.dueAt = Math.max(group.dueAt + group.route.interval_ms, now)
    const seen = [...group.alerts].filter(([, alert]) => !isHeld(alert) && !isMuted(alert, now)).sort(([a], [b]) => (a < b ? -1 : 1))
    const told: Told = { at: now, firing: new Set(seen.filter(([, alert]) => !isOver(alert, now)).map(([name]) => name)), over: new Set(seen.filter(([, alert]) => isOver(alert, now)).map(([name]) => name)) }
    const notices = group.route.receivers.flatMap((receiver) => noticeOf(group, receiver, told, seen.map(([, alert]) => alert), now))
    forget(group, now)
    return notices
  }

  function noticeOf(group: Group, receiver: Receiver, told: Told, seen: readonly Alert[], now: Instant): Notice[] {
    if (!isNews(group.told.get(receiver.name), told, receiver, group.route.repeat_ms) || now < (group.failing.get(receiver.name)?.until ?? -Infinity)) return []
    if (!receiver.tellsEnd && told.firing.size === 0) {
      group.told.set(receiver.name, told)
      return []
    }
    const shown = receiver.tellsEnd ? seen : seen.filter((alert) => !isOver(alert, now))
    const id = nextId++
    waiting.set(id, { group, receiver, told })
    return [{ id, group: group.key, receiver: receiver.name, alerts: shown.map((alert) => ({ labels: alert.labels, annotations: alert.annotations, startsAt: alert.startsAt, endsAt: isOver(alert, now) ? alert.endsAt : null })) }]
  }

  /** What was over at the last look is kept no longer once everybody was told: a receiver that is still to answer, or does not, must hear of it. */
  function forget(group: Group, at: Instant): void {
    if (group.failing.size > 0 || [...waiting.values()].some((notice) => notice.group === group)) return
    for (const [name, alert] of group.alerts) if (isOver(alert, at) && alert.updatedAt <= at) group.alerts.delete(name)
  }

  return {
    /** What a receiver was told last of a group, as an earlier notifier gave it: before anything is put. */
    restore({ group, receiver, alerts: last }: Omit<Notice, 'id'>, at: Instant): void {
      const names = (isFiring: boolean): Set<string> => new Set(last.filter(({ endsAt }) => (endsAt === null) === isFiring).map(({ labels }) => nameOf(labels)))
      before.set(group, (before.get(group) ?? new Map<string, Told>()).set(receiver, { at, firing: names(true), over: names(false) }))
    },
    /** What sources say, in the order in which they say it. */
    put: (said: readonly SaidAlert[], now: Instant): void => said.forEach((each) => put(each, now)),
    mute: (mute: Mute): void => void mutes.set(mute.id, mute),
    unmute: (id: string): void => void mutes.delete(id),
    /** When `turn` is due next; Infinity while nothing is. */
    nextAt: (): Instant => [...groups.values()].reduce((next, group) => Math.min(next, group.dueAt), Infinity),
    /** Looks at every group that is due. */
    turn(now: Instant): Notice[] {
      const due = [...groups.values()].filter((group) => group.dueAt <= now)
      if (due.length === 0) return []
      const isHeld = holdBack(now)
      const notices = due.flatMap((group) => flush(group, now, isHeld))
      for (const [key, group] of groups) if (group.alerts.size === 0 && group.hasFlushed) groups.delete(key)
      for (const [name, alert] of alerts) if (alert.endsAt + kept_ms <= now) alerts.delete(name)
      for (const [id, mute] of mutes) if (mute.until <= now) mutes.delete(id)
      return notices
    },
    /** Whether a notice was delivered. One that was not goes out again with its group, after 1 s, 2 s, 4 s ... 10 min. */
    settle(id: number, delivered: boolean, now: Instant): void {
      const notice = waiting.get(id)
      if (notice === undefined) return
      waiting.delete(id)
      const { group, receiver, told } = notice
      if (delivered) {
        group.told.set(receiver.name, told)
        group.failing.delete(receiver.name)
      } else {
        const times = (group.failing.get(receiver.name)?.times ?? 0) + 1
        group.failing.set(receiver.name, { times, until: now + Math.min(pause_ms_max, first_pause_ms * 2 ** (times - 1)) })
      }
      forget(group, told.at)
    },
  }
}

/** Alertmanager's rule (notify.DedupStage): something fires that was not told, nothing fires any more, something ended, or time to repeat it. */
function isNews(last: Told | undefined, now: Told, receiver: Receiver, repeat_ms: number): boolean {
  if (last === undefined) return now.firing.size > 0
  if ([...now.firing].some((name) => !last.firing.has(name))) return true
  if (now.firing.size === 0) return last.firing.size > 0
  if (receiver.tellsEnd && [...now.over].some((name) => !last.over.has(name))) return true
  return last.at + repeat_ms < now.at
}


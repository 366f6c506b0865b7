import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Labels, Matcher } from './alert.ts'
import { createNotifier, type Notice } from './notifier.ts'

/** Timed scenarios of Prometheus' Alertmanager (its acceptance tests), in seconds from the start. */
const suite = join(import.meta.dirname, '../../../shared/suites/alertmanager/cases.json')

interface Shown { readonly labels: Labels; readonly annotations: Labels; readonly startsAt: number | null; readonly endsAt: number | null }
interface Scenario {
  readonly name: string
  readonly route: { group_by: string[]; group_wait: string; group_interval: string; repeat_interval?: string }
  readonly webhooks: readonly { send_resolved?: boolean; fail_until?: number }[]
  readonly inhibit_rules: readonly { source_match: Labels; target_match: Labels; equal: string[] }[]
  readonly silences: readonly { set_at: number; start: number; end: number; delete_at?: number; matchers: (Omit<Matcher, 'label'> & { name: string })[] }[]
  readonly global_: { resolve_timeout?: string }
  readonly push: readonly { at: number; alerts: Shown[] }[]
  readonly want: readonly (readonly { between: [number, number]; alerts: Shown[] }[])[]
  readonly tolerance_s: number
}

const ms = (text: string): number => (text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.slice(0, -1)) * 1000)
const matchersOf = (labels: Labels): Matcher[] => Object.entries(labels).map(([label, value]) => ({ label, value }))
const instant = (seconds: number | null): number | null => (seconds === null ? null : Math.round(seconds * 1000))

function startFor({ route, webhooks, inhibit_rules, global_ }: Scenario): ReturnType<typeof createNotifier> {
  return createNotifier({
    routes: [{
      name: 'default', matchers: [], groupBy: route.group_by, wait_ms: ms(route.group_wait), interval_ms: ms(route.group_interval), repeat_ms: ms(route.repeat_interval ?? '14400s'),
      receivers: webhooks.map(({ send_resolved = true }, index) => ({ name: String(index), tellsEnd: send_resolved })),
    }],
    inhibitions: inhibit_rules.map(({ source_match, target_match, equal }) => ({ source: matchersOf(source_match), target: matchersOf(target_match), equal })),
    resolve_ms: ms(global_.resolve_timeout ?? '300s'),
  })
}

/** What each webhook got, and when, s. */
function play(scenario: Scenario): { at: number; notice: Notice }[][] {
  const notifier = startFor(scenario)
  const got: { at: number; notice: Notice }[][] = scenario.webhooks.map(() => [])
  const events: { at: number; deed: () => void }[] = scenario.push.map(({ at, alerts }) => ({ at: at * 1000, deed: () => notifier.put(alerts.map((alert) => ({ ...alert, startsAt: instant(alert.startsAt), endsAt: instant(alert.endsAt) })), at * 1000) }))
  scenario.silences.forEach(({ set_at, start, end, delete_at, matchers }, index) => {
    events.push({ at: set_at * 1000, deed: () => notifier.mute({ id: String(index), from: start * 1000, until: end * 1000, matchers: matchers.map(({ name, ...matcher }) => ({ label: name, ...matcher })) }) })
    if (delete_at !== undefined) events.push({ at: delete_at * 1000, deed: () => notifier.unmute(String(index)) })
  })
  events.sort((a, b) => a.at - b.at)
  const end = Math.max(...scenario.want.flat().map(({ between }) => between[1] * 1000), ...events.map(({ at }) => at))
  for (;;) {
    const [event, due] = [events[0]?.at ?? Infinity, notifier.nextAt()]
    const at = Math.min(event, due)
    if (at > end) return got
    if (event <= due) events.shift()?.deed()
    else for (const notice of notifier.turn(at)) {
      const delivered = at >= (scenario.webhooks[Number(notice.receiver)]?.fail_until ?? 0) * 1000
      if (delivered) got[Number(notice.receiver)]?.push({ at: at / 1000, notice })
      notifier.settle(notice.id, delivered, at)
    }
  }
}

const sorted = (alerts: readonly Shown[]): Shown[] => [...alerts].sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1))
const isNear = (expected: number | null, actual: number | null, tolerance: number): boolean => (expected === null || actual === null ? expected === actual : Math.abs(expected - actual) <= tolerance)

test("Alertmanager's timed scenarios hold: grouping, inhibition, silence, repeat, retry, resolve", async (t) => {
  if (!existsSync(suite)) return t.skip(`NOT CHECKED against Alertmanager's scenarios: ${suite} is not here`)
  const { cases } = JSON.parse(readFileSync(suite, 'utf8')) as { cases: Scenario[] }
  assert.equal(cases.length, 11)
  for (const scenario of cases)
    await t.test(scenario.name, () => play(scenario).forEach((got, webhook) => {
      const want = (scenario.want[webhook] ?? []).filter(({ alerts }) => alerts.length > 0)
      assert.equal(got.length, want.length, `${got.length} notices at ${got.map(({ at }) => at).join(', ')} s`)
      want.forEach(({ between: [from, to], alerts }, index) => {
        const { at, notice } = got[index] as { at: number; notice: Notice }
        assert.ok(from <= at && at <= to, `notice ${index} at ${at} s, not from ${from} to ${to}`)
        const shown = sorted(notice.alerts)
        sorted(alerts).forEach((expected, i) => {
          const actual = shown[i] as Shown
          assert.deepEqual([actual.labels, actual.annotations], [expected.labels, expected.annotations])
          for (const time of ['startsAt', 'endsAt'] as const) assert.ok(isNear(expected[time], actual[time] === null ? null : actual[time] / 1000, scenario.tolerance_s), `${time} of ${JSON.stringify(actual)}, not ${expected[time]}`)
        })
        assert.equal(shown.length, alerts.length)
      })
    }))
})

import type { EditionEntry } from '@kawal/contract/atlas.ts'
import type { PlanRef, ReadinessSummary } from '@kawal/contract/readiness.ts'
import type { ReadinessClass } from '@kawal/core/readiness/readiness.ts'
import { dateTimeWib, dayText } from '../format.ts'
import { room } from '../room.svelte.ts'
import { Loaded } from '../load.svelte.ts'
import { createPending } from './pending.ts'
import { atlases, plans } from './server.ts'
import { readPlanView, writePlanView, type PlanView, type Screen } from './view.ts'
import { planningEn } from '../words/planning-en.ts'
import { planningId, type PlanningWords } from '../words/planning-id.ts'

const technologyNames: Readonly<Record<string, string>> = { gsm: '2G', umts: '3G', lte: '4G', nr: '5G' }

/** What every screen of planning shares: the view, the newest plan's numbers, the editions, what waits to be stored. */
class PlanningRoom {
  view: PlanView = $derived(readPlanView(room.view.planning))
  words: PlanningWords = $derived(room.view.language === 'en' ? planningEn : planningId)
  /** Counts of the newest plan by province and by regency. */
  provinces = new Loaded<ReadinessSummary>()
  regencies = new Loaded<ReadinessSummary>()
  editions = new Loaded<EditionEntry[]>()
  /** Counts up when something was stored: who shows it asks again. */
  stored = $state(0)
  waiting = $state.raw(0)
  waitingMs = $state(0)

  pending = createPending({
    clock: () => Date.now(),
    send: (decisions) => plans.decide(decisions),
    changed: (count, leftMs) => {
      this.waiting = count
      this.waitingMs = leftMs
    },
    sent: () => void (this.stored += 1),
  })

  /** The screens that the role may see, in their order. */
  tabs: readonly Screen[] = $derived.by(() => {
    const plan: Screen[] = this.may('plan:read') ? ['readiness'] : []
    const atlas: Screen[] = this.may('atlas:read') || this.may('challenge:read') ? ['atlas'] : []
    return [...plan, ...atlas, ...(plan.length === 0 ? [] : (['siting', 'campaign'] as const))]
  })
  screen: Screen = $derived.by(() => {
    const { screen } = this.view
    if (screen === 'station' || screen === 'print') return this.may('plan:read') ? screen : 'atlas'
    return screen !== null && this.tabs.includes(screen) ? screen : this.tabs[0] ?? 'atlas'
  })
  plan: PlanRef | null = $derived(this.provinces.answer?.ok === true ? this.provinces.answer.value.plan : null)
  operators: readonly string[] = $derived(this.plan?.operators ?? [])
  names: ReadonlyMap<string, string> = $derived.by(() => {
    const names = new Map<string, string>([...(room.live?.areas.values() ?? [])].map((area) => [area.code, area.name]))
    for (const { answer } of [this.provinces, this.regencies]) if (answer?.ok === true) for (const area of answer.value.areas) names.set(area.code, area.name)
    return names
  })

  /** Whether the role has a permission, be it for all or for its own. */
  may(permission: string): boolean {
    return room.session !== null && room.session !== 'loading' && room.session.may.some((each) => each === permission || each === `${permission}:own`)
  }

  /** Whether the role may decide for everybody: neither who asks nor whom it concerns. */
  decides(permission: string): boolean {
    return room.session !== null && room.session !== 'loading' && room.session.may.includes(permission)
  }

  /** A new filter begins at the first page. @param step adds a step to the history */
  go(change: Partial<PlanView>, step = false): void {
    const page = 'page' in change ? {} : { page: null }
    room.go({ room: 'planning', planning: writePlanView({ ...this.view, ...page, ...change }) }, step)
  }

  openStation(station: string): void {
    this.go({ screen: 'station', station }, true)
  }

  load(): void {
    if (this.may('plan:read')) {
      void this.provinces.ask((signal) => plans.summary('province', null, signal))
      void this.regencies.ask((signal) => plans.summary('regency', null, signal))
    }
    if (this.may('atlas:read')) void this.editions.ask((signal) => atlases.editions(signal))
  }

  /** A to E as people say them; the sixth is no letter. */
  letter(of: ReadinessClass): string {
    return of === 'unknown' ? this.words.unclassed : of.toUpperCase()
  }

  technologyName(technology: string): string {
    return technologyNames[technology] ?? (technology === 'fixed' ? this.words.fixed : technology === 'any' ? this.words.anyTechnology : technology)
  }

  nameOf(code: string): string {
    return this.names.get(code) ?? code
  }

  /** "rencana 12, dibuat 25 Nov 2026, 14.02 WIB, dari edisi 0a1b..., berlaku 25 Nov 2026" */
  madeText(plan: PlanRef): string {
    const language = room.view.language
    return this.words.planMade(String(plan.id), dateTimeWib(Date.parse(plan.madeAt), language), plan.edition ?? this.words.noEdition, dayText(plan.validOn, language))
  }
}

export const planning = new PlanningRoom()

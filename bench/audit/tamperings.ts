import { seeded, type Random } from '@kawal/core/kernel/random.ts'
import { drawnEntries } from './entries.ts'
import { judge, type Case, type Disbelief } from './judge.ts'
import { isOfTall, tampered, targets, ways, type World } from './tamper.ts'
import { cleanCases, drawnSize, edge_sizes, makeWorld, tall_sizes, voicesOf, type Drawn } from './worlds.ts'
import type { Voices } from '@kawal/testkit/written-log.ts'

/** How much of it. Tall logs have 65,535 entries and more. */
export interface Amount { readonly tamperings: number; readonly worlds: number; readonly clean: number; readonly tall: boolean; readonly each_tall: number; /** Drawn, for all logs to take some of. */ readonly entries: number }

export interface Counted {
  readonly tamperings: number
  readonly missed: readonly string[]
  readonly missed_by_go: readonly string[]
  readonly clean_logs: number
  readonly false_found: readonly string[]
  /** Kinds of tampering, target and way, of which there were some. */
  readonly kinds: number
}

interface Held { readonly world: World; readonly voices: Voices }

/** Cases are on disk for so many at a time. */
const batch = 500
const attempts = 40

/**
 * Plants tamperings in turn over everything that a log has and every way of tampering, and counts those that an auditor does not find; then shows both honest logs.
 * @param auditor the one in Go; null for none
 */
export async function countTamperings(seed: number, amount: Amount, folder: string, auditor: string | null, say: (text: string) => void, change: Disbelief | null = null): Promise<Counted> {
  const random = seeded(seed)
  const drawn = await drawnEntries(amount.entries, random)
  const worlds = await makeWorlds(amount, drawn, random)
  const [missed, missed_by_go, false_found]: [string[], string[], string[]] = [[], [], []]
  const kinds = new Set<string>()
  let tamperings = 0
  for (const cases of batches(casesOf(worlds, amount, random))) {
    for (const [nth, { ours, theirs }] of (await judge(cases, folder, auditor, change)).entries()) {
      const name = cases[nth]?.name ?? ''
      if (!ours) missed.push(name)
      if (theirs === false) missed_by_go.push(name)
      kinds.add(name)
    }
    tamperings += cases.length
    say(`${tamperings} tamperings of ${kinds.size} kinds: ${missed.length} missed by us, ${missed_by_go.length} by the auditor in Go`)
  }
  let clean_logs = 0
  for (let first = 0; first < amount.clean; first += batch) {
    const cases: Case[] = []
    for (let nth = first; nth < Math.min(amount.clean, first + batch); nth++, clean_logs++) cases.push(...await cleanCases(cleanSize(nth, amount, random), drawn, voicesOf(nth), random))
    for (const [nth, { ours, theirs }] of (await judge(cases, folder, auditor, change)).entries()) if (ours || theirs === true) false_found.push(cases[nth]?.name ?? '')
    say(`${clean_logs} clean logs: something found in ${false_found.length}`)
  }
  return { tamperings, missed, missed_by_go, clean_logs, false_found, kinds: kinds.size }
}

async function makeWorlds({ worlds, tall }: Amount, drawn: Drawn, random: Random): Promise<readonly Held[]> {
  const sizes = [...edge_sizes, ...(tall ? tall_sizes : [])]
  const made: Held[] = []
  for (let nth = 0; nth < worlds; nth++) {
    const voices = voicesOf(nth)
    made.push({ voices, world: await makeWorld(sizes[nth] ?? drawnSize(random), drawn, voices, random) })
  }
  return made
}

/** Each kind in its turn; one that no world has a place for is left out. */
function* casesOf(worlds: readonly Held[], { tamperings, tall, each_tall }: Amount, random: Random): Generator<Case> {
  const common = worlds.filter(({ world }) => world.now.size < 65_000)
  const kinds = targets.flatMap((target) => ways.map((way) => ({ target, way, done: 0 }))).filter(({ target }) => tall || !isOfTall(target))
  const open = new Set(kinds)
  for (let made = 0; made < tamperings && open.size > 0;) for (const kind of open) {
    const { target, way } = kind
    const one = drawn(isOfTall(target) ? worlds.filter((each) => !common.includes(each)) : common, target, way, random)
    if (one === null || (isOfTall(target) && ++kind.done >= each_tall)) open.delete(kind)
    if (one === null) continue
    yield one
    if (++made === tamperings) break
  }
}

function drawn(worlds: readonly Held[], target: string, way: (typeof ways)[number], random: Random): Case | null {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const held = worlds[Math.floor(random() * worlds.length)]
    const shown = held === undefined ? null : tampered(held.world, target, way, random)
    if (held !== undefined && shown !== null) return { name: `${way}: ${target}`, shown, voices: held.voices, honest: held.world.now.files }
  }
  return null
}

function* batches(cases: Iterable<Case>): Generator<Case[]> {
  let all: Case[] = []
  for (const one of cases) {
    all.push(one)
    if (all.length < batch) continue
    yield all
    all = []
  }
  if (all.length > 0) yield all
}

/** The edges first, an empty log before them. */
function cleanSize(nth: number, { tall }: Amount, random: Random): number {
  const sizes = [0, ...edge_sizes, ...(tall ? tall_sizes : [])]
  return sizes[nth] ?? drawnSize(random)
}

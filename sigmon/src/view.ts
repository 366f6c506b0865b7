import type { Environment } from './environment.ts'
import type { Duty } from './duty.ts'
import type { Identities } from './identities.ts'
import { bars_ms_max, type Choices, type Measuring } from './measuring.ts'
import type { Packs } from './pack.ts'
import type { Problems } from './problems.ts'
import type { Publishing } from './published.ts'
import type { Queue } from './queue/queue.ts'
import type { Sender } from './queue/send.ts'
import type { SessionState } from './session.ts'
import type { ShellPart } from './shell/part.ts'
import type { Trust } from './trust.ts'
import type { Updates } from './update.ts'

const shown_max = 30
/** Below this much room, or above this share, storage is low. */
const room_bytes_min = 5_000_000
const used_share_max = 0.9

interface Needs {
  readonly env: Environment
  readonly queue: Queue
  readonly identities: Identities
  readonly trust: Trust
  readonly packs: Packs
  readonly measuring: Measuring
  readonly sender: Sender
  readonly duty: Duty
  readonly problems: Problems
  readonly updates: Updates
  readonly shell: ShellPart | null
  readonly publishing: Publishing | null
  readonly choices: () => Choices
}

export interface View {
  state(): SessionState
  subscribe(told: (state: SessionState) => void): () => void
  change(part: Partial<SessionState>): void
  /** Reads what is kept anew, and tells the other tabs to. Calls that come while it reads are one more reading. */
  refresh(): Promise<void>
  /** The same, for what another tab told. */
  follow(): Promise<void>
}

const empty: SessionState = {
  ready: false, identity: null, refusal: null, practice: false, sim: null, accessPoint: null, metered: false, bars: null, duty: { on: false, since: null, nextDueAt: null, awake: false, canStayAwake: false },
  checkWanted: false, check: { running: false, done: 0, steps: 1, result: null, at: null }, fullTest: { running: false, phase: null, downKbps: null, upKbps: null, minRttMs: null, bytes: 0, refused: null },
  counts: { waiting: 0, sent: 0, refused: 0, thinned: 0 }, newest: [], sending: null, budget: { today: 0, election: 0, daily: 0, refused: null },
  config: null, configExpired: false, pack: null, own: null, helpLines: [], forms: [], storage: 'ok', keysChanged: false, update: false, problems: [], shell: null, android: undefined,
}

export function createView(needs: Needs): View {
  let state = empty
  const listeners = new Set<(state: SessionState) => void>()
  let reading: Promise<void> | null = null
  let again = false

  const change = (part: Partial<SessionState>): void => {
    state = { ...state, ...part }
    for (const told of listeners) told(state)
  }

  const read = (): Promise<void> => {
    again = true
    reading ??= (async () => {
      while (again) {
        again = false
        const seen = await needs.queue.view(shown_max)
        change({ ...(needs.shell?.withRows(seen) ?? seen), storage: await storageOf(needs) })
        change(readingOf(needs))
      }
    })().finally(() => (reading = null))
    return reading
  }

  return {
    state: () => state,
    subscribe(told) {
      listeners.add(told)
      told(state)
      return () => void listeners.delete(told)
    },
    change,
    async refresh() {
      await read()
      needs.env.channel?.postMessage('changed')
    },
    follow: read,
  }
}

async function storageOf({ env, queue, shell }: Needs): Promise<SessionState['storage']> {
  if (queue.isFull() || shell?.isFull() === true) return 'full'
  if (queue.isCrowded()) return 'many'
  const { quota, usage } = (await env.storage?.estimate().catch(() => null)) ?? {}
  const isLow = quota !== undefined && usage !== undefined && (quota - usage < room_bytes_min || usage > quota * used_share_max)
  queue.spare(isLow)
  return isLow ? 'low' : 'ok'
}

/** All that needs no reading of the store. */
function readingOf({ env, identities, trust, packs, measuring, sender, duty, problems, updates, shell, publishing, choices }: Needs): Partial<SessionState> {
  const current = identities.current()
  const config = trust.config()
  const { practice, sim, accessPoint, metered, bars } = choices()
  const lines = packs.helpLines()
  return {
    // One that the server refused is asked for again; what was measured stays.
    identity: current === null || current.refusal !== null ? null : { station: current.station, provisional: current.token === null, role: current.role ?? 'officer' },
    refusal: current?.refusal ?? null, practice, sim, accessPoint, metered, bars: bars !== null && env.clock() - bars.at <= bars_ms_max ? bars.count : null, keysChanged: trust.keysChanged(), duty: duty.state(), sending: sender.state() ?? shell?.sending() ?? null,
    budget: { ...measuring.budget.spent(), refused: measuring.budget.refusal(1, 'large') },
    config, configExpired: config !== null && Date.parse(config.validUntil) < env.clock(),
    pack: packs.state(env.clock()), own: current === null ? null : packs.own(current.station.code),
    helpLines: lines.length > 0 ? lines : (config?.helpLines ?? []), forms: packs.forms(), update: updates.waits(), problems: problems.list(),
    shell: shell?.state() ?? null, android: publishing?.state(),
  }
}

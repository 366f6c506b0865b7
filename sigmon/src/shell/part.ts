import type { About, Permissions } from '@kawal/contract/shell.ts'
import type { Duty } from '../duty.ts'
import type { Environment } from '../environment.ts'
import type { QueueView } from '../queue/queue.ts'
import type { SessionShell, SessionState } from '../session.ts'
import type { Row, Store } from '../store.ts'
import { ask_ms_max, askShell, officer_ms_max } from './ask.ts'
import { createHandedDuty, type HandedDuty } from './duty.ts'
import { readAbout, readPermissions } from './read.ts'

const days_max = 60
const shown_max = 30
const chunk_bytes = 0x8000

type Needs = Parameters<typeof createHandedDuty>[0] & {
  readonly env: Pick<Environment, 'shell' | 'clock' | 'setTimer' | 'clearTimer'>
  readonly store: Pick<Store, 'read' | 'write'>
}

/** What the page has of the shell around it. */
export interface ShellPart {
  readonly duty: Duty
  readonly actions: SessionShell
  state(): NonNullable<SessionState['shell']>
  /** The shell's rows and counts beside the page's. */
  withRows(seen: QueueView): QueueView
  sending(): SessionState['sending']
  /** The phone has no room for its samples. */
  isFull(): boolean
  /** Bytes that the shell spent on that day; null: on all that are remembered. */
  beside(day: string | null): number
  /** The page is looked at again: the officer may come from the phone's settings. */
  visible(): void
  /** The session's state has changed. */
  follow(): void
  /** What waits in the shell is sent now. */
  send(): Promise<void>
}

export async function createShellPart(needs: Needs): Promise<ShellPart> {
  const { env, store, changed } = needs
  const duty: HandedDuty = await createHandedDuty({ ...needs, changed: noted })
  let permissions: Permissions | null = null
  let about: About | null = null
  let days = new Map((await store.read<readonly (readonly [string, number])[]>('shellDays')) ?? [])

  function noted(): void {
    const { day = null, bytesToday = 0 } = duty.said() ?? {}
    if (day !== null && bytesToday > (days.get(day) ?? 0)) {
      days = new Map([...[...days].filter(([each]) => each !== day), [day, bytesToday] as const].slice(-days_max))
      void store.write({ shellDays: [...days] }).catch(() => undefined)
    }
    changed()
  }

  const ask = async (what: string, given?: object, ms?: number): Promise<unknown> => {
    const answered = await askShell(env, what, given, ms)
    return 'is' in answered ? answered.is : null
  }
  const allow = (given: unknown): void => {
    permissions = readPermissions(given) ?? permissions
    changed()
  }
  const look = async (): Promise<void> => allow(await ask('permissions'))

  try {
    env.shell?.told('duty', (is) => void duty.take(is).catch(() => undefined))
    env.shell?.told('permissions', allow)
  } catch {
    // An older shell tells nothing unasked: it is asked whenever the page is looked at.
  }
  void look()

  return {
    duty, follow: duty.follow,
    state: () => ({ permissions, about, waits: duty.waits(), fault: duty.fault(), over: duty.over(), held: duty.said()?.held ?? null, gap: duty.said()?.gap ?? null, background: duty.state().on && !duty.waits() && duty.said()?.on === true }),
    sending: () => duty.said()?.sending ?? null, isFull: () => duty.said()?.full === true,
    withRows: (seen) => beside(seen, duty),
    beside: (day) => (day === null ? [...days.values()].reduce((sum, bytes) => sum + bytes, 0) : (days.get(day) ?? 0)),
    visible: () => void look(),
    send: async () => {
      if (duty.said() !== null) await duty.take(await ask('duty.send'))
    },
    actions: {
      permit: async (what) => allow(await ask('permit', { what }, officer_ms_max)),
      settings: async (of) => void (await ask('settings', { of }, ask_ms_max)),
      save: async (name, content) => {
        const base64 = base64Of(new Uint8Array(await content.arrayBuffer()))
        const answer = await ask('save', { name, type: content.type === '' ? 'application/octet-stream' : content.type, base64 }, officer_ms_max)
        return (answer as { saved?: unknown } | null)?.saved === true
      },
      open: async (url) => 'is' in (await askShell(env, 'open', { url })),
      look: async () => {
        about = readAbout(await ask('about')) ?? about
        changed()
      },
    },
  }
}

/** A number that both have, which only a broken shell brings about, is shown once. */
function beside({ newest, counts }: QueueView, duty: HandedDuty): QueueView {
  const said = duty.said()
  if (said === null) return { newest, counts }
  const known = new Set(newest.map(({ sequence }) => sequence))
  const more: Row[] = []
  for (const row of said.newest) {
    if (known.has(row.sequence)) continue
    known.add(row.sequence)
    more.push({ ...row, kind: 'routine', identity: '' })
  }
  return {
    newest: [...newest, ...more].sort((a, b) => Date.parse(b.sample.eventAt) - Date.parse(a.sample.eventAt)).slice(0, shown_max),
    counts: { ...counts, waiting: counts.waiting + said.counts.waiting, sent: counts.sent + said.counts.sent, refused: counts.refused + said.counts.refused },
  }
}

/** In parts: a call with a million arguments overflows the stack. */
function base64Of(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += chunk_bytes) text += String.fromCharCode(...bytes.subarray(at, at + chunk_bytes))
  return btoa(text)
}

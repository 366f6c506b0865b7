import { beginning, proofSpans, step, type Alarm, type Following, type Sighting } from '@kawal/core/ledger/follow.ts'
import { readHead, type Head, type HeadTrust } from '@kawal/core/ledger/head.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { auditLog, proofFrom, type Finding } from './audit-log.ts'
import type { Mirror } from './mirror.ts'
import type { EntryReader, Tally } from './records.ts'
import type { Seen } from './seen.ts'
import { firstOf, NoAnswer, note_bytes_max, type LogSource } from './source.ts'

interface WatchNeeds {
  readonly source: LogSource
  readonly trust: HeadTrust
  /** As text, for who verifies the mirror. */
  readonly key: string
  readonly clock: () => number
  readonly seen: Seen | null
  readonly mirror: Mirror | null
  readonly entries: EntryReader
  readonly silence_ms: number
  readonly told: (event: WatchEvent) => void
  /** Of the entries that a look reads. */
  readonly progress?: (entries: number, size: number) => void
}

export type WatchEvent =
  /** All files of the log up to this checkpoint are proved, but for what was found. @param consistentWith size of the checkpoint that was seen before it */
  | { readonly kind: 'audited'; readonly head: Head; readonly consistentWith: number | null; readonly findings: readonly Finding[]; readonly tally: Tally }
  /** @param evidence path of what proves it */
  | { readonly kind: 'alarm'; readonly alarm: Alarm; readonly evidence: string | null }

export interface Watch {
  /** One look: the checkpoint, then what is new behind it. @returns what did not answer; null where all did */
  look(): Promise<NoAnswer | null>
  /** Whether there was anything that a log which is kept well never gives cause to. */
  hasFound(): boolean
  /** Whether that was more than silence: there is no history left to follow. */
  isOver(): boolean
}

/** Watches a log from the checkpoints that were seen before, where there are some. @throws NoAnswer where what was kept cannot be read */
export async function openWatch(needs: WatchNeeds): Promise<Watch> {
  const { clock, mirror, seen, trust, entries, told } = needs
  const source = mirror === null ? needs.source : firstOf(mirror.source, needs.source)
  let state: Following = beginning(null, clock())
  /** Entries whose files were proved, and those that were read. */
  let [audited, read]: [number | null, number] = [null, 0]
  let [hasFound, isOver] = [false, false]

  async function take(sighting: Sighting): Promise<boolean> {
    const stepped = step(state, sighting, { silence_ms: needs.silence_ms, sha256 })
    ;({ state } = stepped)
    for (const alarm of stepped.alarms) {
      hasFound = true
      if (alarm.code !== 'unanswered' && alarm.code !== 'still') isOver = true
      const evidence = 'shown' in alarm && seen !== null ? await seen.evidence(alarm.code === 'rolled_back' ? 'rollback' : 'fork', alarm.seen, alarm.shown, alarm.at) : null
      seen?.note(alarmLine(alarm, evidence))
      told({ kind: 'alarm', alarm, evidence })
    }
    return !isOver
  }
  async function sight(note: string): Promise<Sighting> {
    const head = await readHead(note, trust, verifyEd25519)
    if (!head.ok) return { kind: 'unsigned', at: clock(), fault: head.error }
    const { size, spans } = proofSpans(state, head.value)
    return { kind: 'head', at: clock(), head: head.value, proof: await proofFrom(source, size, spans) }
  }

  /** What this machine keeps is the beginning: the smaller of the two first. */
  async function remember(): Promise<void> {
    const notes = [await seen?.checkpoint(), await mirror?.checkpoint()].filter((note) => note !== null && note !== undefined)
    const heads: Head[] = []
    for (const note of notes) {
      const head = await readHead(note, { ...trust, isEnough: () => true }, verifyEd25519)
      if (!head.ok) throw new NoAnswer(`The checkpoint that was kept is not signed by the key of the log (${head.error}): another key, or another log.`)
      heads.push(head.value)
    }
    heads.sort((a, b) => a.checkpoint.size - b.checkpoint.size)
    for (const head of heads) {
      const { size, spans } = proofSpans(state, head)
      if (!(await take({ kind: 'head', at: clock(), head, proof: await proofFrom(source, size, spans) }))) return
    }
  }

  async function audit(head: Head, before: number | null): Promise<void> {
    const { size } = head.checkpoint
    const findings = [...await auditLog(audited ?? 0, head.checkpoint, {
      source, ...(mirror === null ? {} : { keep: (files) => mirror.keep(files) }), told: (count) => needs.progress?.(Math.min(count, size), size),
      async took(first, all) {
        // what a look that was broken off had read is not read twice
        const fresh = all.slice(Math.max(0, read - first))
        if (fresh.length > 0) await entries.take(first + all.length - fresh.length, fresh)
        read = Math.max(read, first + all.length)
      },
    })]
    const tally = await entries.tally()
    for (const index of tally.records?.wrong ?? []) findings.push({ path: `entry ${index}`, fault: 'record' })
    await seen?.save(head)
    if (findings.length === 0) await mirror?.finish(head.note, needs.key, audited ?? 0, size)
    else {
      ;[hasFound, isOver] = [true, true]
      seen?.note({ code: 'findings', size, findings })
    }
    audited = size
    told({ kind: 'audited', head, consistentWith: before, findings, tally })
  }

  await remember()
  return {
    async look() {
      try {
        const note = await needs.source.read('checkpoint', note_bytes_max)
        if (note === null) throw new NoAnswer(`${needs.source.place}/checkpoint is not there.`)
        const before = state.head
        if (isOver || !(await take(await sight(textOf(note))))) return null
        const { head } = state
        if (head !== null && (audited !== head.checkpoint.size || head.note !== before?.note)) await audit(head, before?.checkpoint.size ?? null)
        return null
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        await take({ kind: 'nothing', at: clock() })
        return error
      }
    },
    hasFound: () => hasFound,
    isOver: () => isOver,
  }
}

/** Bytes that are no UTF-8 are no note: nothing is put in their place. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return ''
  }
}

function alarmLine(alarm: Alarm, evidence: string | null): object {
  if (!('shown' in alarm)) return alarm
  const { code, at, seen, shown } = alarm
  return { code, at, seen: seen.note, shown: shown.note, evidence }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute_ms } from '../kernel/clock.ts'
import { noteKey, sha256, verifyEd25519 } from '@kawal/testkit/ed25519.ts'
import { writtenLog, type Voices, type WrittenState } from '@kawal/testkit/written-log.ts'
import { beginning, proofSpans, step, type Following, type Sighting } from './follow.ts'
import { readHead, type Head, type HeadTrust } from './head.ts'
import { hashesOf } from './merkle.ts'
import { hashFromTiles, tilePath } from './tiles.ts'

const voices: Voices = { log: noteKey('kawal.example/ledger'), witnesses: [noteKey('saksi.example', 'cosignature')], at_s: 1_865_000_000 }
const witnesses = voices.witnesses.map(({ key }) => ({ name: 'bawaslu', key }))
const trust: HeadTrust = { logs: [voices.log], witnesses, isEnough: (names) => names.size === 1 }
const entriesOf = (word: string): Buffer[] => Array.from({ length: 700 }, (_, nth) => Buffer.from(nth < 100 ? `entry ${nth}` : `${word} ${nth}`))
const [empty, small, middle, large] = await writtenLog(entriesOf('one'), [0, 300, 513, 700], voices)
const [fork_small, fork_large] = await writtenLog(entriesOf('another'), [300, 600], voices)
const settings = { silence_ms: 10 * minute_ms, sha256 }

const stateOf = (state: WrittenState | undefined): WrittenState => state ?? assert.fail()
async function headOf(state: WrittenState | undefined): Promise<Head> {
  const head = await readHead(stateOf(state).note, trust, verifyEd25519)
  assert.ok(head.ok)
  return head.value
}
/** What a log shows, with the proof that its own tiles make. */
async function shown(following: Following, at: number, state: WrittenState | undefined, tiles = state): Promise<Sighting> {
  const head = await headOf(state)
  const { size, spans } = proofSpans(following, head)
  try {
    return { kind: 'head', at, head, proof: hashesOf(spans, hashFromTiles(size, (tile) => stateOf(tiles).files.get(tilePath(tile)) ?? new Uint8Array(), sha256), sha256) }
  } catch {
    return { kind: 'head', at, head, proof: null }
  }
}

test('a log that grows is followed, from each checkpoint to the next', async () => {
  let state = beginning(null, 0)
  for (const [at, each] of [empty, small, small, middle, large].entries()) {
    const stepped = step(state, await shown(state, at, each), settings)
    assert.deepEqual(stepped.alarms, [])
    ;({ state } = stepped)
  }
  assert.deepEqual([state.head?.checkpoint.size, state.head?.witnesses, state.heard_at, state.moved_at], [700, [{ name: 'bawaslu', at_s: 1_865_000_000 }], 4, 4])
})

test('a fork, a log that went back, and one that proves nothing are told apart, and not taken up', async () => {
  const at_middle = beginning(await headOf(middle), 0)
  const cases = [['forked', beginning(await headOf(small), 0), fork_small, fork_small], ['inconsistent', at_middle, fork_large, fork_large], ['inconsistent', at_middle, fork_small, middle], ['rolled_back', at_middle, small, middle], ['inconsistent', at_middle, large, fork_large], ['rolled_back', at_middle, empty, middle]] as const
  for (const [code, from, state, tiles] of cases) {
    const stepped = step(from, await shown(from, 1, state, tiles), settings)
    assert.deepEqual(stepped.alarms.map((alarm) => alarm.code), [code])
    assert.deepEqual(stepped.state.head, from.head)
  }
  const head = await headOf(empty)
  assert.deepEqual(step(beginning(null, 0), { kind: 'head', at: 1, proof: [], head: { ...head, checkpoint: { ...head.checkpoint, root: new Uint8Array(32) } } }, settings).alarms.map(({ code }) => code), ['forked'])
})

test('silence is told once: no answer, or always the same one; a witness who looked again is news', async () => {
  const head = await headOf(small)
  const again: Head = { ...head, witnesses: [{ name: 'bawaslu', at_s: 1_865_000_060 }] }
  const looks: readonly (readonly [number, Head | 'unsigned' | null, readonly string[]])[] = [
    [1, head, []], [9, null, []], [11, null, ['unanswered']], [12, null, []], [13, head, ['still']], [14, head, []], [15, again, []], [24, again, []], [25, again, ['still']], [26, 'unsigned', ['unsigned']], [36, null, ['unanswered']],
  ]
  let state = beginning(head, 0)
  for (const [minute, seen, codes] of looks) {
    const at = minute * minute_ms
    const stepped = step(state, seen === null ? { kind: 'nothing', at } : seen === 'unsigned' ? { kind: 'unsigned', at, fault: 'log_unsigned' } : { kind: 'head', at, head: seen, proof: [] }, settings)
    assert.deepEqual(stepped.alarms.map((alarm) => alarm.code), codes, `minute ${minute}`)
    ;({ state } = stepped)
  }
})

test('a checkpoint counts by its log and by enough witnesses; who else signed is named and not believed', async () => {
  const note = stateOf(small).note
  const read = (text: string, more: Partial<HeadTrust> = {}) => readHead(text, { ...trust, ...more }, verifyEd25519)
  const unknown = await read(note, { witnesses: [], isEnough: () => true })
  assert.deepEqual(unknown.ok && [unknown.value.witnesses, unknown.value.others], [[], ['saksi.example']])
  for (const [text, more, error] of [
    [note, { witnesses: [] }, 'witnesses_few'], [note, { logs: [noteKey('other.example')] }, 'origin_other'], [note, { logs: [noteKey('kawal.example/ledger', 'ed25519', 'another')] }, 'log_unsigned'],
    [note.replace('\n300\n', '\n301\n'), {}, 'log_signature_wrong'], ['', {}, 'note_unsigned'],
    [note.replace(/(saksi\.example .{20})(.)/, (_, before: string, letter: string) => `${before}${letter === 'A' ? 'B' : 'A'}`), {}, 'witness_signature_wrong'],
  ] as const) assert.deepEqual(await read(text, more), { ok: false, error })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { around, confirmed, morning, overlap, phones, start, stations, turnsOf, type Deed, type Morning, type Phone } from '@kawal/testkit/small-nation.ts'
import { minute_ms } from '../kernel/clock.ts'
import { explainStation, stationStatus } from './status.ts'

const quiet_min = 40
const place = around(4, 5, 20)
const at = (where: ReadonlySet<string>, operator: string | null, deed: (phone: Phone, chance: number) => Deed) => (phone: Phone, _: number, chance: number): Deed =>
  where.has(phone.station) && (operator === null || phone.operator === operator) ? deed(phone, chance) : 'good'

function afterQuiet(more: Parameters<typeof morning>[0] = {}): Morning {
  const day = morning(more)
  assert.deepEqual(confirmed(day.until(quiet_min)), [])
  return day
}

/** In a power cut a tower in four has a battery: its phones say that they are off the charger. */
const inACut = (_: Phone, chance: number): Deed => (chance < 0.75 ? null : 'unplugged')

for (const [name, operator, deed, cause, severity] of [
  ['one operator falls silent', 'telkomsel', () => null, /^(access|backhaul)$/, 'down'],
  ['a smaller operator falls silent', 'indosat', () => null, /^(access|backhaul)$/, 'down'],
  ['everybody falls silent, and chargers are off', null, inACut, /^power$/, 'down'],
  ['one operator is slow', 'telkomsel', (_: Phone, chance: number) => (chance < 0.79 ? 'slow' : chance < 0.92 ? 'lossy' : 'good'), /^congestion$/, 'degraded'],
  ['one operator is lossy', 'xlsmart', (_: Phone, chance: number) => (chance < 0.72 ? 'lossy' : chance < 0.92 ? 'slow' : 'good'), /^degradation$/, 'degraded'],
] as const)
  test(`${name}: found within 6 minutes, as what it is, whose it is and where, and it ends when it is heard well`, () => {
    const day = afterQuiet()
    const told = day.until(quiet_min + 20, at(place, operator, deed))
    const rows = confirmed(told)
    assert.deepEqual(rows.map((row) => [row.operator, row.severity, row.stage]), [[operator, severity, 'confirmed']], JSON.stringify(rows))
    const [row] = rows as [(typeof rows)[0]]
    assert.match(row.cause, cause)
    const found_min = ((row.foundAt ?? NaN) - start) / minute_ms - quiet_min
    assert.ok(found_min > 0 && found_min <= 6, `found after ${found_min} minutes`)
    assert.ok(Math.abs(row.startedAt - start - quiet_min * minute_ms) <= 6 * minute_ms, `began at minute ${(row.startedAt - start) / minute_ms}`)
    assert.ok(overlap(row.stations, place) >= 0.75, `${row.stations.length} of ${place.size}: ${overlap(row.stations, place)}`)
    for (const code of row.stations) assert.equal(stationStatus(day.state, code), severity)
    const well = operator === null ? 'xlsmart' : operator === 'telkomsel' ? 'xlsmart' : 'telkomsel'
    if (operator !== null) for (const code of row.stations) assert.ok(!['down', 'degraded'].includes(stationStatus(day.state, code, well)), `${code} is not ${severity} for ${well}`)
    const later = day.until(quiet_min + 45)
    assert.deepEqual(confirmed(later).map(({ id, stage }) => [id, stage]), [[row.id, 'ended']])
    assert.deepEqual(turnsOf(day.told, row.id).filter((turn) => ['confirmed', 'ended', 'relapsed', 'retracted'].includes(turn ?? '')), ['confirmed', 'ended'])
    for (const { code } of stations) assert.ok(!['down', 'degraded'].includes(stationStatus(day.state, code)), code)
  })

test('what worsens over a quarter of an hour is congestion by that too; what is bad at once is not', () => {
  const signOf = (growth_min: number): { readonly count: number; readonly of: number } | undefined => {
    const day = afterQuiet()
    const [row] = confirmed(day.until(quiet_min + 30, at(place, 'telkomsel', (phone, chance) => (day.now() - start < (quiet_min + (growth_min * (phone.device % 8)) / 8) * minute_ms ? 'good' : chance < 0.8 ? 'slow' : 'good'))))
    assert.equal(row?.cause, 'congestion')
    return row?.evidence.signs.find(({ sign }) => sign === 'with_load')
  }
  const [grown, sudden] = [signOf(16), signOf(0)]
  assert.ok((grown?.count ?? 0) > 0.35 * (grown?.of ?? NaN), JSON.stringify(grown))
  assert.ok((sudden?.count ?? NaN) < 0.2 * (sudden?.of ?? NaN), JSON.stringify(sudden))
})

test('phones that fall silent when the batteries of their towers are empty are a sign of a power cut', () => {
  const hasBattery = (phone: Phone): boolean => phone.device % 3 === 0
  const cut = (dark: boolean) => at(place, null, (phone) => (dark || !hasBattery(phone) ? null : phone.device % 2 === 0 ? 'unplugged' : 'good'))
  const day = afterQuiet()
  const [early] = confirmed(day.until(quiet_min + 40, cut(false)))
  assert.deepEqual(early?.evidence.signs.filter(({ sign }) => sign === 'second_drop').map(({ count }) => count), [0])
  const [late] = confirmed(day.until(quiet_min + 60, cut(true)))
  const drop = late?.evidence.signs.find(({ sign }) => sign === 'second_drop')
  assert.equal(late?.id, early?.id)
  assert.ok((drop?.count ?? 0) >= 10 && (drop?.count ?? 0) < (drop?.of ?? 0), JSON.stringify(drop))
  const power = (row: typeof late): number => row?.evidence.causes.find(({ cause }) => cause === 'power')?.nats ?? NaN
  assert.ok(power(late) > power(early))
})

test('the election server fails: no operator is blamed, and it ends', () => {
  const day = afterQuiet()
  const rows = confirmed(day.until(quiet_min + 15, (phone) => ((phone.device + Math.floor(day.now() / 300_000)) % 3 === 0 ? 'no_election' : 'good')))
  assert.deepEqual(rows.map(({ cause, operator }) => [cause, operator]), [['election_server', null]])
  assert.deepEqual(confirmed(day.until(quiet_min + 30)).map(({ cause, stage }) => [cause, stage]), [['election_server', 'ended']])
})

const twoThirds = (chance: number): Deed => (chance < 0.72 ? null : 'good')
for (const [name, deed] of [['all', () => null], ['two thirds of everybody', (_: Phone, __: number, chance: number): Deed => twoThirds(chance)]] as const)
  test(`our own intake loses ${name}: nobody is blamed, then or afterwards`, () => {
    const day = afterQuiet()
    day.until(quiet_min + 15, deed)
    day.until(quiet_min + 50)
    const rows = confirmed(day.told)
    assert.ok(rows.length >= 1)
    assert.deepEqual([...new Set(rows.map(({ cause, operator, stage }) => `${cause} ${operator} ${stage}`))], ['ingest null ended'], JSON.stringify(rows.map(({ cause, operator, stations: at }) => [cause, operator, at.length])))
  })

test('who went home while our intake failed is not held against the network afterwards', () => {
  const day = afterQuiet()
  day.until(quiet_min + 6, () => null)
  day.until(quiet_min + 40, at(place, null, () => null))
  assert.deepEqual(confirmed(day.told).map(({ cause, stage }) => [cause, stage]), [['ingest', 'ended']])
})

test('one of eight receivers fails: nobody is blamed, and what breaks meanwhile is found among the others', () => {
  const day = afterQuiet()
  const shard = (phone: Phone): boolean => phone.device % 8 === 3
  day.until(quiet_min + 15, (phone) => (shard(phone) ? null : 'good'))
  assert.deepEqual(confirmed(day.told).map(({ cause, stage }) => [cause, stage]), [['ingest', 'confirmed']])
  const told = day.until(quiet_min + 30, (phone) => (shard(phone) || (place.has(phone.station) && phone.operator === 'telkomsel') ? null : 'good'))
  assert.deepEqual(confirmed(told).filter(({ cause }) => cause !== 'ingest').map(({ operator, stage }) => [operator, stage]), [['telkomsel', 'confirmed']])
  day.until(quiet_min + 60)
  assert.deepEqual(confirmed(day.told).map(({ stage }) => stage), ['ended', 'ended'])
})

test('a receiver that holds all of a village fails: while that is only a doubt the village waits, and nobody is blamed', () => {
  const village = around(6, 5, 2)
  for (const seed of [1, 2, 3]) {
    const day = afterQuiet({ seed })
    day.until(quiet_min + 15, (phone) => (village.has(phone.station) || phone.device % 16 === 3 ? null : 'good'))
    assert.deepEqual(confirmed(day.told).map(({ cause, stage }) => [cause, stage]), [['ingest', 'confirmed']], `seed ${seed}`)
  }
})

test('too few phones to tell by how many are silent: while nothing at all comes in, nobody is blamed', () => {
  const watched = around(1, 1, 12)
  const few = (phone: Phone): Deed => (watched.has(phone.station) ? 'good' : null)
  const day = morning()
  day.until(quiet_min, few)
  day.until(quiet_min + 15, () => null)
  day.until(quiet_min + 45, few)
  assert.deepEqual(confirmed(day.told).map(({ cause, stage }) => [cause, stage]), [['ingest', 'ended']])
})

test('late good reports take a silence back: the way to us was broken, not the network', () => {
  const day = afterQuiet()
  const hit = at(place, 'telkomsel', () => null)
  const [row] = confirmed(day.until(quiet_min + 8, hit))
  assert.equal(row?.stage, 'confirmed')
  for (const phone of phones) if (place.has(phone.station) && phone.operator === 'telkomsel') day.late(phone, day.now() - 3 * minute_ms, 'good')
  // It is what came late that takes it back: nobody is heard again yet.
  const later = confirmed(day.until(quiet_min + 10, hit))
  assert.deepEqual(later.map(({ id, stage }) => [id, stage]), [[row?.id, 'retracted']])
})

test('a village where all go home, and three in ten goodbyes are lost, is no fault', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const day = morning({ seed })
    const home = around(6, 5, 1)
    day.until(quiet_min)
    day.until(quiet_min + 40, (phone, _, chance) => (!home.has(phone.station) ? 'good' : chance < 0.3 ? 'lost_goodbye' : 'goodbye'))
    assert.deepEqual(confirmed(day.told), [], `seed ${seed}`)
  }
})

test('silence without goodbyes at the same place is one', () => {
  const day = afterQuiet()
  const home = around(6, 5, 6)
  assert.equal(confirmed(day.until(quiet_min + 15, (phone) => (home.has(phone.station) ? 'lost_goodbye' : 'good'))).length, 1)
})

test('two at different places are two, each under its own operator', () => {
  const day = afterQuiet()
  const [west, east] = [around(2, 2, 12), around(13, 9, 12)]
  const rows = confirmed(day.until(quiet_min + 12, (phone) => ((west.has(phone.station) && phone.operator === 'telkomsel') || (east.has(phone.station) && phone.operator === 'xlsmart') ? null : 'good')))
  assert.deepEqual(rows.map(({ operator }) => operator).sort(), ['telkomsel', 'xlsmart'])
  for (const row of rows) assert.ok(overlap(row.stations, row.operator === 'telkomsel' ? west : east) >= 0.7)
})

test('unknown is never ok: nobody heard, long gone, or not in the register', () => {
  const day = morning()
  for (const { code } of stations) assert.equal(stationStatus(day.state, code), 'unknown')
  const gone = stations[400]?.code ?? ''
  day.until(quiet_min)
  assert.equal(stationStatus(day.state, gone), 'ok')
  day.until(quiet_min + 45, (phone) => (phone.station === gone ? 'goodbye' : 'good'))
  assert.equal(stationStatus(day.state, gone), 'unknown')
  assert.equal(stationStatus(day.state, '9999999999999'), 'unknown')
  assert.equal(stationStatus(day.state, stations[0]?.code ?? '', 'nobody'), 'unknown')
})

test('a fault that nobody has measured well again stays, however long it is silent', () => {
  const day = afterQuiet()
  const [row] = confirmed(day.until(quiet_min + 240, at(place, 'telkomsel', () => null)))
  assert.equal(row?.stage, 'confirmed')
  for (const code of row?.stations ?? []) assert.equal(stationStatus(day.state, code), 'down')
  assert.equal(confirmed(day.told).length, 1)
})

test('the explanation counts what the status rests on, and shows an operator its own alone', () => {
  const day = afterQuiet()
  day.until(quiet_min + 12, at(place, 'telkomsel', () => null))
  const code = [...place].find((each) => ['telkomsel', 'xlsmart'].every((operator) => phones.some((phone) => phone.station === each && phone.operator === operator))) ?? ''
  const count = (operator: string): number => phones.filter((phone) => phone.station === code && phone.operator === operator).length
  const rows = explainStation(day.state, code, day.now()).operators
  const silent = rows.find(({ operator }) => operator === 'telkomsel')
  assert.deepEqual([silent?.status, silent?.devices, silent?.silent], ['down', count('telkomsel'), count('telkomsel')])
  assert.equal(rows.reduce((sum, { devices }) => sum + devices, 0), phones.filter((phone) => phone.station === code).length)
  assert.deepEqual(explainStation(day.state, code, day.now(), 'xlsmart').operators.map(({ operator, devices }) => [operator, devices]), [['xlsmart', count('xlsmart')]])
})

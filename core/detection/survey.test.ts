import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atOnce } from '../kernel/steps.ts'
import { around, morning, type Deed, type Phone } from '@kawal/testkit/small-nation.ts'
import { seconds, bin_stride, bins, extra, extra_bin, extra_stride, expected_unit, field, isBad, log_unit, node_stride, onDuty, stride, sum, windows_s, type DetectionState } from './state.ts'
import { survey } from './survey.ts'

const [west, east] = [around(3, 4, 12), around(12, 7, 9)]
function deeds(phone: Phone, at: number, chance: number): Deed {
  const minute = (at - 1_800_000_000_000) / 60_000
  if (minute > 25 && west.has(phone.station) && phone.operator === 'telkomsel') return chance < 0.5 ? null : 'slow'
  if (minute > 36 && east.has(phone.station)) return chance < 0.5 ? null : 'unplugged'
  return chance < 0.02 ? 'goodbye' : chance < 0.04 ? 'lossy' : 'good'
}

/** One device as a person would read it. */
interface Row { readonly place: number; readonly operator: number; readonly code: string; readonly age_s: number; readonly hit: 'well' | 'silent' | 'bad' | 'left'; readonly charger: 'on' | 'off' | null; readonly habit: readonly [number, number, number] }

function rowsOf(state: DetectionState, now_s: number): Row[] {
  const rows: Row[] = []
  for (let device = 0; device < state.deviceCount; device++) {
    const get = (name: keyof typeof field): number => state.devices[device * stride + field[name]] ?? NaN
    if (get('node') < 0 || get('hitBy') >= 0) continue
    const station = state.pairs.station[get('pair')] ?? NaN
    const { grace_s, duty_s } = state.options
    const [flags, late_s] = [get('flags'), now_s - get('dueAt') - grace_s]
    const isOn = (flags & onDuty) !== 0
    const since_s = now_s - get('withdrawnAt') - grace_s
    if (!isOn && (get('withdrawnAt') === 0 || since_s <= 0 || (flags & isBad) !== 0)) continue
    if (isOn && late_s > duty_s) continue
    const charging = (flags >> 6) & 3
    rows.push({
      place: state.places.of[station] ?? NaN, operator: state.pairs.operator[get('pair')] ?? NaN, code: state.stations[station]?.village ?? '',
      hit: !isOn ? 'left' : late_s > 0 ? 'silent' : (flags & isBad) !== 0 ? 'bad' : 'well', age_s: !isOn ? since_s : late_s > 0 ? late_s : now_s - get('lastAt'),
      charger: charging === 2 ? 'on' : charging === 1 && get('unpluggedAt') === get('lastAt') ? 'off' : null,
      habit: [get('habit') & 1023, (get('habit') >> 10) & 1023, (get('habit') >> 20) & 1023],
    })
  }
  return rows
}

/** Goodbyes and chargers are counted for everybody alone. */
const slots = { ...sum, left: bin_stride + extra.left, unplugged: bin_stride + extra.unplugged, plugged: bin_stride + extra.plugged, earlier: bin_stride + extra.earlier }
const width = bin_stride + extra_bin

/** Slow and plain: each device into each of its ten areas, each window by itself. Habits against the place's rates and the lateness of before. */
function recount(state: DetectionState, rows: readonly Row[], lateness: Float64Array, promises: number, ratesAt: (place: number, operator: number) => readonly [number, number]): Map<string, number[]> {
  const weighed = [...lateness].slice(0, -1).map((count, minute) => count + (minute < 10 ? 20 : 0))
  const never = (lateness.at(-1) ?? NaN) + 5
  const gone = Math.max(0.001, never / (never + promises + 1000))
  const total = weighed.reduce((all, count) => all + count, 0)
  const stillSilent = (minute: number): number => Math.max(0, (weighed.slice(minute).reduce((all, count) => all + count, 0) - (weighed[minute] ?? 0) / 2) / total)
  const sums = new Map<string, number[]>()
  for (const row of rows) {
    const [brokenRate, badRate] = ratesAt(row.place, row.operator)
    const [promises, broken, bad] = row.habit
    const chance = { broken: Math.max(0.025, (26 * brokenRate + broken) * (1 / (26 + promises))) * stillSilent(Math.floor(row.age_s / 60)) + gone, bad: Math.max(0.02, (26 * badRate + bad) * (1 / (26 + promises))) }
    const add = (values: number[], what: keyof typeof slots, value: number): void => void (values[slots[what]] = (values[slots[what]] ?? 0) + value)
    const areas = [`0 ${row.place}`, `1 ${Number(row.code.slice(0, 6))}`, `2 ${Number(row.code.slice(0, 4))}`, `3 ${Number(row.code.slice(0, 2))}`, '4 0']
    for (const operator of [row.operator, -1])
      for (const area of areas)
        for (const [window, length_s] of windows_s.entries()) {
          const isEarlier = row.hit === 'left' && row.age_s > 600
          if (isEarlier ? operator >= 0 || window < bins - 1 || row.age_s > 1200 : Math.ceil(row.age_s / 30) * 30 > length_s) continue
          const key = `${area} ${operator} ${window}`
          const values = sums.get(key) ?? new Array<number>(width).fill(0)
          sums.set(key, values)
          if (isEarlier) {
            add(values, 'earlier', 1)
            continue
          }
          add(values, 'devices', 1)
          add(values, 'expected', Math.floor(expected_unit * (chance.broken + chance.bad) + 0.5))
          if (operator < 0 && row.charger === 'on') add(values, 'plugged', 1)
          if (operator < 0 && row.charger === 'off') add(values, 'unplugged', 1)
          if (operator < 0 && row.hit === 'left') add(values, 'left', 1)
          if (row.hit === 'silent' || row.hit === 'bad') {
            add(values, 'hits', 1)
            if (row.hit === 'bad') add(values, 'bad', 1)
            add(values, 'logs', Math.round(log_unit * Math.log(row.hit === 'silent' ? chance.broken : chance.bad)))
          }
        }
  }
  assert.ok(state.nodes.count > 500)
  return sums
}

test('the sums of every area, operator and window are those of a slow recount', () => {
  const day = morning()
  for (const minute of [20, 30, 38, 44, 55]) {
    day.until(minute, deeds)
    const { state } = day
    const now_s = seconds(day.now())
    const [rows, lateness, promises] = [rowsOf(state, now_s), state.lateness.slice(), state.promises]
    atOnce(survey(state, now_s))
    const packed = new Map<string, number>()
    const { nodes } = state
    for (let node = 0; node < nodes.count; node++) if (nodes.level[node] === 0) packed.set(`${nodes.area[node]} ${nodes.operator[node]}`, nodes.rates[node] ?? 0)
    const slow = recount(state, rows, lateness, promises, (place, operator) => {
      const bits = packed.get(`${place} ${operator}`) ?? NaN
      return [((bits >> 10) & 1023) / 4096, (bits & 1023) / 4096]
    })
    let compared = 0
    for (let node = 0; node < nodes.count; node++)
      for (let window = 0; window < bins; window++) {
        const key = `${nodes.level[node]} ${nodes.area[node]} ${nodes.operator[node]} ${window}`
        const from = node * node_stride + window * bin_stride
        const more = node * extra_stride + window * extra_bin
        assert.deepEqual([...nodes.sums.subarray(from, from + bin_stride), ...nodes.extras.subarray(more, more + extra_bin)], slow.get(key) ?? new Array<number>(width).fill(0), `minute ${minute}, ${key}`)
        compared += Number(slow.delete(key))
      }
    assert.deepEqual([...slow.keys()], [])
    assert.ok(compared > 2_000)
    const nation = nodes.byName.get('4 0 -1') ?? NaN
    for (const what of ['left', 'unplugged', 'plugged', 'earlier'] as const) if (minute >= 44) assert.ok((nodes.extras[nation * extra_stride + (bins - 1) * extra_bin + extra[what]] ?? 0) > 0, `${what} are counted`)
  }
})

test('the sums of the nation fit: all its officers, and a national failure of its evening', () => {
  const fits = (devices: number, each: number): boolean => devices * each < 2 ** 31
  assert.ok(fits(5_760_000, 0.2 * expected_unit))
  assert.ok(fits(2_304_000, -Math.log(0.001) * log_unit))
})

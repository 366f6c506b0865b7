import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cellToChildren, cellToLatLng, cellToParent, latLngToCell } from 'h3-js'
import { ancestorOf, cellOfKey, centreOf, discRuns, eachNationalCell, inRuns, keyAt, keyOfCell, makeRuns } from './cells.ts'

const latitude = fc.double({ min: -11, max: 6, noNaN: true })
const longitude = fc.double({ min: 95, max: 141, noNaN: true })

test('property: a key is its cell, at both resolutions, and its ancestor is the parent', () => {
  fc.assert(fc.property(latitude, longitude, fc.constantFrom(5, 8, 9), (lat, lon, resolution) => {
    const cell = latLngToCell(lat, lon, resolution)
    const key = keyAt(lat, lon, resolution)
    assert.equal(cellOfKey(key, resolution), cell)
    assert.equal(keyOfCell(cell, resolution), key)
    assert.deepEqual(Object.values(centreOf(key, resolution)), cellToLatLng(cell))
    assert.equal(cellOfKey(ancestorOf(key, 2), resolution - 2), cellToParent(cell, resolution - 2))
  }))
})

test('property: runs hold what was put in, and the national cells count their children', () => {
  const parents = latLngToCell(-8.6, 121.1, 6)
  const fine = cellToChildren(parents, 9)
  fc.assert(fc.property(fc.uniqueArray(fc.nat(fine.length - 1), { maxLength: 200 }), (picked) => {
    const keys = picked.map((index) => keyOfCell(fine[index] as string, 9))
    const runs = makeRuns(keys.map((key) => [key, key + 1]))
    const wanted = new Map<number, number>()
    for (const key of keys) wanted.set(ancestorOf(key, 1), (wanted.get(ancestorOf(key, 1)) ?? 0) + 1)
    const found: [number, number][] = []
    eachNationalCell(runs, (key, children) => found.push([key, children]))
    assert.deepEqual(found, [...wanted].sort((a, b) => a[0] - b[0]))
    const chosen = new Set(keys)
    for (const cell of fine) assert.equal(inRuns(runs, keyOfCell(cell, 9)), chosen.has(keyOfCell(cell, 9)))
  }))
})

test('a whole ancestor is one run, and so are its children put together', () => {
  const parent = latLngToCell(-8.6, 121.1, 6)
  const key = keyOfCell(parent, 6)
  const whole = makeRuns([[key * 512, (key + 1) * 512]])
  const parts = makeRuns(cellToChildren(parent, 9).map((cell) => [keyOfCell(cell, 9), keyOfCell(cell, 9) + 1]))
  assert.equal(parts.length, 2)
  let cells = 0
  eachNationalCell(whole, (_, children) => (cells += children))
  assert.equal(cells, 343)
  let again = 0
  eachNationalCell(parts, (_, children) => (again += children))
  assert.equal(again, 343)
})

test('a disc holds as many cells as its area asks for, and a tiny one holds its own', () => {
  let cells = 0
  eachNationalCell(discRuns({ latitude: -8.6, longitude: 121.1 }, 10), (_, children) => (cells += children / 7))
  assert.ok(Math.abs(cells - (Math.PI * 100) / 0.72) < 40, String(cells))
  assert.deepEqual([...discRuns({ latitude: -8.6, longitude: 121.1 }, 0.01)], [keyAt(-8.6, 121.1, 8) * 8, keyAt(-8.6, 121.1, 8) * 8 + 8])
})

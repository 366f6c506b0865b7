import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cellToBoundary } from 'h3-js'
import { flag, makeColumns, nothing, type Columns } from '@kawal/core/atlas/edition.ts'
import { cellOfKey, keyAt } from '@kawal/core/geo/cells.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { aggregate, makeLevels, takeBetter } from './pyramid.ts'
import { drawTile, tileAt, tileBox, tileResolution, type Drawing } from './tile.ts'

const random = seeded(7)
/** Clusters of cells from Sumatra to Papua, and what is known of some of them. */
function cells(resolution: number, spread_deg: number, count: number): Float64Array {
  const keys = new Set<number>()
  for (const [latitude, longitude] of [[3.6, 98.7], [-7.2, 110.4], [0.5, 122.9], [-10.2, 123.6], [-2.6, 140.6]] as const)
    for (let i = 0; i < count; i++) keys.add(keyAt(latitude + (random() - 0.5) * spread_deg, longitude + (random() - 0.5) * spread_deg, resolution))
  return Float64Array.from(keys).sort()
}
function columnsOf(rows: number): Columns {
  const columns = makeColumns(rows)
  for (let row = 0; row < rows; row++) {
    for (const name of ['usable', 'claimed', 'predicted', 'measured'] as const) if (random() < 0.5) columns[name][row] = Math.floor(random() * 201)
    columns.samples[row] = random() < 0.3 ? Math.floor(random() * 65_536) : 0
    columns.day[row] = random() < 0.3 ? 19_000 + Math.floor(random() * 1000) : 0
    columns.flags[row] = random() < 0.2 ? flag.contradicted : random() < 0.2 ? flag.challenged : 0
  }
  return columns
}
const national = makeLevels(cells(8, 1.5, 160), 8)
const fine = makeLevels(cells(9, 0.05, 60), 9)
const keysOf = (resolution: number): Float64Array => (resolution === 9 ? fine : national).keys[resolution] as Float64Array
const drawing: Drawing = { national, fine, nationalColumns: columnsOf(keysOf(8).length), fineColumns: columnsOf(keysOf(9).length), coarser: new Map() }

interface Feature { readonly id: number; readonly tags: Record<string, string | number>; readonly ring: [number, number][] }

/** Reads a vector tile by the Mapbox Vector Tile specification 2.1, by hand: another program than wrote it. */
function readTile(bytes: Uint8Array): { name: string; version: number; extent: number; features: Feature[] } {
  const layer = fieldsOf(bytes).find((field) => field.number === 3)?.bytes ?? new Uint8Array(0)
  const fields = fieldsOf(layer)
  const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value)
  const keys = fields.filter((field) => field.number === 3).map((field) => text(field.bytes))
  const values = fields.filter((field) => field.number === 4).map(({ bytes: value }) => {
    const [only] = fieldsOf(value)
    if (only?.number === 1) return text(only.bytes)
    return only?.number === 3 ? new DataView(only.bytes.buffer, only.bytes.byteOffset).getFloat64(0, true) : only?.number === 6 ? unzigzag(only.value) : (only?.value ?? NaN)
  })
  return {
    name: text(fields.find((field) => field.number === 1)?.bytes), version: fields.find((field) => field.number === 15)?.value ?? 0, extent: fields.find((field) => field.number === 5)?.value ?? 0,
    features: fields.filter((field) => field.number === 2).map(({ bytes: feature }): Feature => {
      const parts = fieldsOf(feature)
      const tags = varints(parts.find((part) => part.number === 2)?.bytes ?? new Uint8Array(0))
      const pairs = Array.from({ length: tags.length / 2 }, (_, i) => [keys[tags[i * 2] ?? -1], values[tags[i * 2 + 1] ?? -1]])
      return { id: parts.find((part) => part.number === 1)?.value ?? -1, tags: Object.fromEntries(pairs) as Feature['tags'], ring: ringOf(varints(parts.find((part) => part.number === 4)?.bytes ?? new Uint8Array(0))) }
    }),
  }
}
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let [value, unit, i] = [0, 1, at]
  for (; (bytes[i] as number) >= 128; i++, unit *= 128) value += ((bytes[i] as number) - 128) * unit
  return [value + (bytes[i] as number) * unit, i + 1]
}
function varints(bytes: Uint8Array): number[] {
  const found: number[] = []
  for (let at = 0; at < bytes.length;) {
    const [value, next] = varint(bytes, at)
    found.push(value)
    at = next
  }
  return found
}
function fieldsOf(bytes: Uint8Array): { number: number; value: number; bytes: Uint8Array }[] {
  const found: { number: number; value: number; bytes: Uint8Array }[] = []
  for (let at = 0; at < bytes.length;) {
    const [tag, from] = varint(bytes, at)
    const [value, after] = tag % 8 === 1 ? [8, from] : varint(bytes, from)
    const length = tag % 8 === 0 ? 0 : value
    found.push({ number: tag >> 3, value, bytes: bytes.slice(after, after + length) })
    at = after + length
  }
  return found
}
function ringOf(commands: readonly number[]): [number, number][] {
  const ring: [number, number][] = []
  let [x, y] = [0, 0]
  for (let i = 0; i < commands.length;) {
    const command = commands[i++] as number
    if (command % 8 === 7) continue
    for (let n = command >> 3; n > 0; n--) {
      x += unzigzag(commands[i++] as number)
      y += unzigzag(commands[i++] as number)
      ring.push([x, y])
    }
  }
  return ring
}

/** Every cell of the resolution whose corners' frame touches the tile, by looking at all of them. */
function slowly(z: number, x: number, y: number, resolution: number): Set<number> {
  return new Set([...keysOf(resolution)].filter((key) => {
    const world = cellToBoundary(cellOfKey(key, resolution)).map(([latitude, longitude]): [number, number] => [
      (((longitude + 180) / 360) * 2 ** z - x) * 4096, ((0.5 - Math.log(Math.tan(Math.PI / 4 + (latitude * Math.PI) / 360)) / (2 * Math.PI)) * 2 ** z - y) * 4096])
    const [xs, ys] = [world.map((corner) => Math.round(corner[0])), world.map((corner) => Math.round(corner[1]))]
    return Math.max(...xs) >= 0 && Math.min(...xs) <= 4096 && Math.max(...ys) >= 0 && Math.min(...ys) <= 4096
  }))
}

const near = fc.tuple(fc.integer({ min: 0, max: 14 }), fc.nat(), fc.integer({ min: -1, max: 1 }), fc.integer({ min: -1, max: 1 })).map(([z, nth, dx, dy]) => {
  const key = keysOf(8)[nth % keysOf(8).length] as number
  const [latitude = 0, longitude = 0] = cellToBoundary(cellOfKey(key, 8))[0] ?? []
  const { x, y } = tileAt(z, latitude, longitude)
  return { z, x: Math.min(2 ** z - 1, Math.max(0, x + dx)), y: Math.min(2 ** z - 1, Math.max(0, y + dy)) }
})

test('property: a tile has the cells that touch it and no other, of the resolution of its zoom, and fine ones from zoom 13 on', () => {
  let features = 0
  fc.assert(fc.property(near, ({ z, x, y }) => {
    const tile = readTile(drawTile(drawing, z, x, y))
    features += tile.features.length
    const resolution = tileResolution(z)
    const ids = (of: number): Set<number> => new Set(tile.features.filter((feature) => feature.tags['resolution'] === of).map((feature) => feature.id))
    assert.deepEqual(ids(resolution), slowly(z, x, y, resolution))
    assert.deepEqual(ids(9), z >= 13 ? slowly(z, x, y, 9) : new Set())
  }), { numRuns: 60 })
  assert.ok(features > 200, `only ${features} features were seen`)
})

test('property: outer rings turn clockwise on the screen, six corners or more, where H3 has them', () => {
  fc.assert(fc.property(near, ({ z, x, y }) => {
    const { features, ...layer } = readTile(drawTile(drawing, z, x, y))
    if (features.length > 0) assert.deepEqual(layer, { name: 'cells', version: 2, extent: 4096 })
    for (const { ring, id, tags } of features) {
      // the shoelace formula, y downwards: positive is clockwise (4.3.4.3)
      const area = ring.reduce((sum, [ax, ay], i) => sum + ax * (ring[(i + 1) % ring.length]?.[1] ?? 0) - ay * (ring[(i + 1) % ring.length]?.[0] ?? 0), 0)
      const size = cellToBoundary(cellOfKey(id, Number(tags['resolution'])))
      assert.ok(ring.length >= 6 && area > 0, `${id}: ${area}`)
      const box = tileBox(z, x, y)
      const [px, py] = ring[0] as [number, number]
      const [latitude, longitude] = [box.north + (py / 4096) * (box.south - box.north), box.west + (px / 4096) * (box.east - box.west)]
      const off = Math.min(...size.map((corner) => Math.hypot((corner[1] as number) - longitude, z < 8 ? 0 : (corner[0] as number) - latitude)))
      assert.ok(off < (box.east - box.west) / 1000, `${off} of ${box.east - box.west}`)
    }
  }), { numRuns: 20 })
})

test('of what is unknown a tile says nothing, and never 0', () => {
  const one = makeLevels(Float64Array.of(keyAt(0.5, 122.9, 8)), 8)
  const tags = (change: (columns: Columns) => void, z = 12): Feature['tags'] => {
    const columns = makeColumns(1)
    change(columns)
    const { x, y } = tileAt(z, 0.5, 122.9)
    return readTile(drawTile({ national: one, fine: makeLevels(new Float64Array(0), 9), nationalColumns: columns, fineColumns: makeColumns(0), coarser: new Map() }, z, x, y)).features[0]?.tags ?? {}
  }
  for (const z of [12, 6]) {
    const resolution = tileResolution(z)
    assert.deepEqual(tags(() => undefined, z), { resolution, source: 'none', known: 0 })
    assert.deepEqual(tags((columns) => columns.usable.fill(0) && columns.claimed.fill(200), z), { resolution, source: 'claimed', known: 1, usable: 0, claimed: 1 })
    assert.deepEqual(
      tags((columns) => [columns.usable.fill(100), columns.measured.fill(50), columns.samples.fill(3), columns.day.fill(19_000), columns.flags.fill(flag.contradicted)], z),
      { resolution, source: 'measured', known: 1, usable: 0.5, measured: 0.25, samples: 3, day: 19_000, contradicted: 1 })
  }
})

test('property: a coarser level says of its cells what adding them up slowly says', () => {
  const { nationalColumns: columns } = drawing
  for (const resolution of [4, 5, 6, 7]) {
    const keys = keysOf(resolution)
    const made = aggregate(keysOf(8), columns, keys, 8 - resolution)
    for (const [at, key] of keys.entries()) {
      const rows = [...keysOf(8).keys()].filter((row) => Math.floor((keysOf(8)[row] as number) / 8 ** (8 - resolution)) === key)
      const mean = (name: 'usable' | 'claimed' | 'predicted' | 'measured'): number => {
        const known = rows.map((row) => columns[name][row] as number).filter((step) => step !== nothing)
        return known.length === 0 ? nothing : Math.round(known.reduce((sum, step) => sum + step, 0) / known.length)
      }
      const count = (wanted: (row: number) => boolean): number => rows.filter(wanted).length
      const kinds = [
        count((row) => columns.measured[row] !== nothing), count((row) => columns.measured[row] === nothing && columns.predicted[row] !== nothing),
        count((row) => columns.measured[row] === nothing && columns.predicted[row] === nothing && columns.claimed[row] !== nothing),
        count((row) => columns.measured[row] === nothing && columns.predicted[row] === nothing && columns.claimed[row] === nothing)]
      assert.deepEqual(
        [made.usable[at], made.claimed[at], made.predicted[at], made.measured[at], made.known[at], made.samples[at], made.day[at], made.contradicted[at], made.source[at]],
        [mean('usable'), mean('claimed'), mean('predicted'), mean('measured'), Math.round((200 * count((row) => columns.usable[row] !== nothing)) / rows.length), rows.reduce((sum, row) => sum + (columns.samples[row] ?? 0), 0),
          Math.max(...rows.map((row) => columns.day[row] ?? 0)), count((row) => columns.flags[row] === flag.contradicted), kinds.indexOf(Math.max(...kinds))])
    }
  }
})

test('the best of several networks is, cell by cell, the one that most likely works', () => {
  const step = fc.constantFrom<number>(nothing, 0, 60, 199, 200)
  fc.assert(fc.property(fc.array(fc.tuple(step, step, step), { minLength: 1, maxLength: 10 }), (rows) => {
    const networks = [0, 1, 2].map((network) => {
      const columns = makeColumns(rows.length)
      for (const [row, values] of rows.entries()) {
        columns.usable[row] = values[network] as number
        columns.samples[row] = network + 1
      }
      return columns
    })
    const [best, ...others] = networks as [Columns, ...Columns[]]
    for (const other of others) takeBetter(best, other)
    for (const [row, values] of rows.entries()) {
      const known = values.filter((value) => value !== nothing)
      const most = known.length === 0 ? nothing : Math.max(...known)
      assert.equal(best.usable[row], most)
      assert.equal(best.samples[row], values.indexOf(most) + 1, 'the rest of the row is of the same network')
    }
  }))
})

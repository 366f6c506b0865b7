/**
 * Cells out of a vector tile (Mapbox Vector Tile 2.1, https://github.com/mapbox/vector-tile-spec): the layer
 * `cells` of hexagons alone, one ring a feature. Read here so that the Canvas painter needs no WebGL library.
 */
export interface TileCell {
  /** Key of the cell in its resolution (core/geo/cells.ts). */
  readonly key: number
  readonly resolution: number
  /** x and y by turns, in units of the tile. */
  readonly ring: readonly number[]
  /** Shares of 0 to 1; null is unknown, never 0. */
  readonly usable: number | null
  readonly claimed: number | null
  readonly predicted: number | null
  readonly measured: number | null
  /** Share of the cells within that are known. */
  readonly known: number
  readonly samples: number
  /** Newest evidence, in days since 1970-01-01. */
  readonly day: number | null
  /** How many cells within are claimed to be covered and measured not to be. */
  readonly contradicted: number
}
export interface Tile { readonly extent: number; readonly cells: readonly TileCell[] }

type Property = string | number | boolean

/** Protocol Buffers' wire format, as much of it as a tile has (https://protobuf.dev/programming-guides/encoding). */
class Wire {
  readonly bytes: Uint8Array
  readonly #view: DataView
  at: number
  readonly end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
    this.end = end
  }

  /** Up to 53 bits: keys have more than 32, so no bit operators. */
  varint(): number {
    let value = 0
    for (let unit = 1; ; unit *= 128) {
      if (this.at >= this.end || unit > 2 ** 63) throw new RangeError('the tile is cut off')
      const byte = this.bytes[this.at++] as number
      value += (byte % 128) * unit
      if (byte < 128) return value
    }
  }

  inner(): Wire {
    const end = this.varint() + this.at
    if (end > this.end) throw new RangeError('the tile is cut off')
    const inner = new Wire(this.bytes, this.at, end)
    this.at = end
    return inner
  }

  text(): string {
    const { at, end } = this.inner()
    return new TextDecoder().decode(this.bytes.subarray(at, end))
  }

  float(): number {
    this.at += 4
    return this.#view.getFloat32(this.at - 4, true)
  }

  double(): number {
    this.at += 8
    return this.#view.getFloat64(this.at - 8, true)
  }

  /** Calls back with each field's number and wire type; the callee reads it, or what it leaves is passed over. */
  fields(read: (field: number) => boolean): void {
    while (this.at < this.end) {
      const tag = this.varint()
      if (read(Math.floor(tag / 8))) continue
      const type = tag % 8
      if (type === 0) this.varint()
      else if (type === 1) this.at += 8
      else if (type === 2) this.inner()
      else if (type === 5) this.at += 4
      else throw new RangeError('the tile is no vector tile')
    }
  }

  numbers(): number[] {
    const inner = this.inner()
    const list: number[] = []
    while (inner.at < inner.end) list.push(inner.varint())
    return list
  }
}

const zigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)

function readValue(wire: Wire): Property {
  let value: Property = ''
  wire.fields((field) => {
    if (field === 1) value = wire.text()
    else if (field === 2) value = wire.float()
    else if (field === 3) value = wire.double()
    else if (field === 4 || field === 5) value = wire.varint()
    else if (field === 6) value = zigzag(wire.varint())
    else if (field === 7) value = wire.varint() === 1
    else return false
    return true
  })
  return value
}

/** The first ring; commands are MoveTo 1, LineTo 2, ClosePath 7 (clause 4.3). */
function ringOf(commands: readonly number[]): number[] {
  const ring: number[] = []
  let x = 0
  let y = 0
  for (let i = 0; i < commands.length;) {
    const command = commands[i++] as number
    if (command % 8 === 7) break
    for (let count = Math.floor(command / 8); count > 0 && i + 1 < commands.length; count--) {
      x += zigzag(commands[i++] as number)
      y += zigzag(commands[i++] as number)
      ring.push(x, y)
    }
  }
  return ring
}

interface RawFeature { id: number; tags: number[]; geometry: number[] }

function readFeature(wire: Wire): RawFeature {
  const feature: RawFeature = { id: 0, tags: [], geometry: [] }
  wire.fields((field) => {
    if (field === 1) feature.id = wire.varint()
    else if (field === 2) feature.tags = wire.numbers()
    else if (field === 4) feature.geometry = wire.numbers()
    else return false
    return true
  })
  return feature
}

function cellOf(feature: RawFeature, keys: readonly string[], values: readonly Property[]): TileCell {
  const tags: Record<string, Property> = {}
  for (let i = 0; i + 1 < feature.tags.length; i += 2) tags[keys[feature.tags[i] as number] ?? ''] = values[feature.tags[i + 1] as number] ?? ''
  const value = (name: string): number | null => (typeof tags[name] === 'number' ? tags[name] : null)
  const usable = value('usable')
  return {
    key: feature.id, resolution: value('resolution') ?? 0, ring: ringOf(feature.geometry), usable, claimed: value('claimed'), measured: value('measured'),
    // a tile without predictions of its own has them where nothing stronger is known
    predicted: value('predicted') ?? (tags['source'] === 'predicted' ? usable : null),
    known: value('known') ?? (usable === null ? 0 : 1), samples: value('samples') ?? 0, day: value('day'), contradicted: value('contradicted') ?? 0,
  }
}

/** @throws RangeError when the bytes are no vector tile @returns no cells where the tile has no layer of them */
export function readTile(bytes: Uint8Array): Tile {
  const tile = new Wire(bytes)
  let found: Tile = { extent: 4096, cells: [] }
  tile.fields((field) => {
    if (field !== 3) return false
    const layer = readLayer(tile.inner())
    if (layer.name === 'cells') found = layer
    return true
  })
  return found
}

function readLayer(wire: Wire): Tile & { name: string } {
  const keys: string[] = []
  const values: Property[] = []
  const features: RawFeature[] = []
  let name = ''
  let extent = 4096
  wire.fields((field) => {
    if (field === 1) name = wire.text()
    else if (field === 2) features.push(readFeature(wire.inner()))
    else if (field === 3) keys.push(wire.text())
    else if (field === 4) values.push(readValue(wire.inner()))
    else if (field === 5) extent = wire.varint()
    else return false
    return true
  })
  return { name, extent, cells: features.map((feature) => cellOf(feature, keys, values)) }
}

import type { Bounds } from '../map/scene.ts'
import type { PlacedTile } from './cell-painter.ts'
import { atlases } from './server.ts'
import { tilesIn, type TileAddress } from './sight.ts'
import { readTile, type Tile } from './tile.ts'

/** Tiles kept of one layer; an edition never changes. */
const kept_max = 200
const restMs = 120

/** The tiles in sight of one layer of an edition, asked for when the map has come to rest. */
export class TileShelf {
  shown: readonly PlacedTile[] = $state.raw([])
  missing = $state(0)
  busy = $state(false)
  #layer = ''
  #kept = new Map<string, Tile>()
  #asking: AbortController | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  look(layer: { edition: string; operator: string; technology: string }, sight: Bounds, zoom: number): void {
    const name = `${layer.edition} ${layer.operator} ${layer.technology}`
    if (name !== this.#layer) {
      this.#layer = name
      this.#kept.clear()
      this.shown = []
    }
    const addresses = tilesIn(sight, zoom)
    this.#show(addresses)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(layer, addresses), restMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#asking?.abort()
  }

  async #ask(layer: { edition: string; operator: string; technology: string }, addresses: readonly TileAddress[]): Promise<void> {
    this.#asking?.abort()
    const mine = new AbortController()
    this.#asking = mine
    this.busy = true
    let failed = 0
    await Promise.all(addresses.filter((address) => !this.#kept.has(keyOf(address))).map(async (address) => {
      try {
        const response = await fetch(atlases.tileAddress(layer.edition, layer.operator, layer.technology, address.z, address.x, address.y), { credentials: 'same-origin', signal: mine.signal })
        if (!response.ok) throw new Error(String(response.status))
        this.#kept.set(keyOf(address), readTile(new Uint8Array(await response.arrayBuffer())))
      } catch {
        failed += 1
      }
    }))
    if (mine.signal.aborted) return
    while (this.#kept.size > kept_max) this.#kept.delete(this.#kept.keys().next().value as string)
    this.busy = false
    this.missing = failed
    this.#show(addresses)
  }

  #show(addresses: readonly TileAddress[]): void {
    const placed = addresses.flatMap((address) => {
      const tile = this.#kept.get(keyOf(address))
      return tile === undefined ? [] : [{ address, tile }]
    })
    // while finer ones are on their way the ones before stay
    if (placed.length > 0 || !this.busy) this.shown = placed
  }
}

const keyOf = ({ z, x, y }: TileAddress): string => `${z}/${x}/${y}`

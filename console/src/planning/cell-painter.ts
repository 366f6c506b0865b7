import type { Projection } from '../map/scene.ts'
import { hatch } from './area-painter.ts'
import { isInRing, tileOnFrame, type TileAddress } from './sight.ts'
import type { Tile, TileCell } from './tile.ts'
import type { ShownValue } from './view.ts'

/** Steps of a share, dark to light as P(an upload works) rises; what is unknown has none of them, and stripes. */
export const steps = ['none', 'weak', 'fair', 'good', 'strong'] as const
export type Step = (typeof steps)[number]
/** Least shares of weak, fair, good and strong: the limits of KPU's words, and a tenth (core/readiness/readiness.ts). */
const limits: readonly (readonly [Step, number])[] = [['strong', 0.9], ['good', 0.7], ['fair', 0.3], ['weak', 0.1]]
export const stepColour: Readonly<Record<Step, string>> = { none: '#c1121f', weak: '#e09f3e', fair: '#fff3b0', good: '#9cc4ff', strong: '#3b7dd8' }

function stepOf(share: number): Step {
  return limits.find(([, least]) => share >= least)?.[0] ?? 'none'
}

/** What a cell has to show; null is unknown. Contradicted is yes or no, 0 or 1, and unknown where nothing was claimed or measured. */
export function valueOf(cell: TileCell, shown: ShownValue): number | null {
  if (shown !== 'contradicted') return cell[shown]
  if (cell.contradicted > 0) return 1
  return cell.claimed === null || cell.measured === null ? null : 0
}

export interface PlacedTile { readonly address: TileAddress; readonly tile: Tile }
interface Shown { readonly value: ShownValue; readonly off: ReadonlySet<Step | 'unknown'>; readonly selected: number | null }

/** Cells of the tiles in sight by step and colour, hatched where nothing is known; contradicted ones bear a cross beside any colour. */
export function paintCells(pen: CanvasRenderingContext2D, { project, width, height }: Projection, tiles: readonly PlacedTile[], shown: Shown): void {
  const paths = new Map<Step | 'unknown', Path2D>()
  const crosses = new Path2D()
  const chosen = new Path2D()
  for (const { address, tile } of tiles) {
    const { left, top, unit } = tileOnFrame(address, tile.extent, project)
    for (const cell of tile.cells) {
      const { ring } = cell
      const [x, y] = [left + (ring[0] ?? 0) * unit, top + (ring[1] ?? 0) * unit]
      if (x < -120 || y < -120 || x > width + 120 || y > height + 120) continue
      const value = valueOf(cell, shown.value)
      const step = value === null ? 'unknown' : shown.value === 'contradicted' ? (value === 1 ? 'none' : 'strong') : stepOf(value)
      if (cell.key === shown.selected) trace(chosen, ring, left, top, unit)
      if (shown.off.has(step)) continue
      let path = paths.get(step)
      if (path === undefined) paths.set(step, (path = new Path2D()))
      trace(path, ring, left, top, unit)
      if (cell.contradicted > 0) cross(crosses, ring, left, top, unit)
    }
  }
  pen.globalAlpha = 0.78
  for (const [step, path] of paths) {
    pen.fillStyle = step === 'unknown' ? hatch(pen) : stepColour[step]
    pen.fill(path)
  }
  pen.globalAlpha = 1
  pen.strokeStyle = '#fff'
  pen.lineWidth = 1.4
  pen.stroke(crosses)
  pen.strokeStyle = '#ffd166'
  pen.lineWidth = 3
  pen.stroke(chosen)
}

function trace(path: Path2D, ring: readonly number[], left: number, top: number, unit: number): void {
  path.moveTo(left + (ring[0] ?? 0) * unit, top + (ring[1] ?? 0) * unit)
  for (let i = 2; i + 1 < ring.length; i += 2) path.lineTo(left + (ring[i] as number) * unit, top + (ring[i + 1] as number) * unit)
  path.closePath()
}

function cross(path: Path2D, ring: readonly number[], left: number, top: number, unit: number): void {
  let [x, y] = [0, 0]
  for (let i = 0; i + 1 < ring.length; i += 2) {
    x += ring[i] as number
    y += ring[i + 1] as number
  }
  const count = ring.length / 2
  const [cx, cy] = [left + (x / count) * unit, top + (y / count) * unit]
  const r = Math.min(5, Math.max(1.5, Math.abs((ring[0] as number) - x / count) * unit * 0.6))
  path.moveTo(cx - r, cy - r)
  path.lineTo(cx + r, cy + r)
  path.moveTo(cx + r, cy - r)
  path.lineTo(cx - r, cy + r)
}

/** The cell under a point of the frame; a fine cell lies over the coarser one that holds it. */
export function cellAt(tiles: readonly PlacedTile[], project: Projection['project'], x: number, y: number): TileCell | null {
  let found: TileCell | null = null
  for (const { address, tile } of tiles) {
    const { left, top, unit } = tileOnFrame(address, tile.extent, project)
    const [tx, ty] = [(x - left) / unit, (y - top) / unit]
    if (tx < 0 || ty < 0 || tx > tile.extent || ty > tile.extent) continue
    for (const cell of tile.cells) if (cell.resolution >= (found?.resolution ?? 0) && isInRing(cell.ring, tx, ty)) found = cell
  }
  return found
}

/** Each cell once, though tiles share those on their edges; and how many show each step. */
export function tally(tiles: readonly PlacedTile[], shown: ShownValue): { cells: TileCell[]; counts: Record<Step | 'unknown', number> } {
  const cells = new Map<string, TileCell>()
  for (const { tile } of tiles) for (const cell of tile.cells) cells.set(`${cell.resolution} ${cell.key}`, cell)
  const counts: Record<Step | 'unknown', number> = { none: 0, weak: 0, fair: 0, good: 0, strong: 0, unknown: 0 }
  for (const cell of cells.values()) {
    const value = valueOf(cell, shown)
    counts[value === null ? 'unknown' : shown === 'contradicted' ? (value === 1 ? 'none' : 'strong') : stepOf(value)]++
  }
  return { cells: [...cells.values()], counts }
}

import { readinessClasses, type ReadinessClass } from '@kawal/core/readiness/readiness.ts'
import type { Projection } from '../map/scene.ts'

/** The palette of the classes; each has a shape and a letter beside its colour (ClassMark.svelte). */
export const classColour: Readonly<Record<ReadinessClass, string>> = { a: '#3b7dd8', b: '#9cc4ff', c: '#fff3b0', d: '#e09f3e', e: '#c1121f', unknown: '#6b7280' }
const sea = '#0e1420'

export interface AreaBar {
  readonly code: string
  readonly name: string
  readonly longitude: number
  readonly latitude: number
  readonly classes: Readonly<Record<ReadinessClass, number>>
  readonly stations: number
}
export interface BarHit { readonly code: string; readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }

let hatched: { pen: CanvasRenderingContext2D; pattern: CanvasPattern } | null = null
/** Grey stripes: nobody knows. */
export function hatch(pen: CanvasRenderingContext2D): CanvasPattern | string {
  if (hatched?.pen === pen) return hatched.pattern
  const tile = document.createElement('canvas')
  tile.width = tile.height = 6
  const brush = tile.getContext('2d')
  if (brush === null) return classColour.unknown
  brush.fillStyle = '#1b2230'
  brush.fillRect(0, 0, 6, 6)
  brush.strokeStyle = '#9aa3b2'
  brush.lineWidth = 1.4
  brush.beginPath()
  for (const shift of [-6, 0, 6]) {
    brush.moveTo(shift, 6)
    brush.lineTo(shift + 6, 0)
  }
  brush.stroke()
  const pattern = pen.createPattern(tile, 'repeat')
  if (pattern === null) return classColour.unknown
  hatched = { pen, pattern }
  return pattern
}

const heightPx = 12
const widths = { min: 34, max: 72 }
/** A bar that would lie on a larger one goes up or down a little. */
const shifts = [0, -16, 16, -32, 32] as const

/**
 * One bar an area, its parts the shares of the classes: a rate per area, not the worst station's colour.
 * The more stations the longer; the larger areas first, and a name that would lie on a bar or a name is left out.
 */
export function paintBars(pen: CanvasRenderingContext2D, { project, width, height }: Projection, areas: readonly AreaBar[], selected: string | null): BarHit[] {
  const most = Math.max(1, ...areas.map((area) => area.stations))
  const hits: BarHit[] = []
  const names: string[] = []
  pen.font = '600 11px system-ui, sans-serif'
  pen.textAlign = 'center'
  for (const area of [...areas].sort((a, b) => b.stations - a.stations)) {
    if (area.stations === 0) continue
    const at = project(area.longitude, area.latitude)
    if (at.x < -80 || at.y < -40 || at.x > width + 80 || at.y > height + 40) continue
    const long = widths.min + (widths.max - widths.min) * Math.sqrt(area.stations / most)
    const boxes = shifts.map((shift) => ({ code: area.code, left: at.x - long / 2, top: at.y + shift - heightPx / 2, right: at.x + long / 2, bottom: at.y + shift + heightPx / 2 }))
    const box = boxes.find((each) => !hits.some((other) => touch(each, other))) ?? (boxes[0] as BarHit)
    paintBar(pen, area, box, area.code === selected)
    hits.push(box)
    names.push(area.name)
  }
  const taken = [...hits]
  hits.forEach((box, at) => {
    const name = names[at] ?? ''
    const [x, text] = [(box.left + box.right) / 2, pen.measureText(name).width / 2 + 2]
    const label = { code: box.code, left: x - text, top: box.bottom + 2, right: x + text, bottom: box.bottom + 14 }
    if (taken.some((other) => touch(label, other))) return
    pen.lineWidth = 3
    pen.strokeStyle = sea
    pen.strokeText(name, x, box.bottom + 12)
    pen.fillStyle = '#e8edf5'
    pen.fillText(name, x, box.bottom + 12)
    taken.push(label)
  })
  return hits
}

const touch = (a: BarHit, b: BarHit): boolean => a.left < b.right + 2 && a.right > b.left - 2 && a.top < b.bottom && a.bottom > b.top

function paintBar(pen: CanvasRenderingContext2D, area: AreaBar, box: BarHit, isSelected: boolean): void {
  let left = box.left
  for (const name of readinessClasses) {
    const part = ((box.right - box.left) * area.classes[name]) / area.stations
    if (part === 0) continue
    pen.fillStyle = name === 'unknown' ? hatch(pen) : classColour[name]
    pen.fillRect(left, box.top, part, heightPx)
    if (name === 'e' && part > 4) {
      pen.strokeStyle = '#fff'
      pen.lineWidth = 1
      pen.strokeRect(left + 0.5, box.top + 0.5, part - 1, heightPx - 1)
    }
    left += part
  }
  pen.lineWidth = isSelected ? 3 : 1.5
  pen.strokeStyle = isSelected ? '#ffd166' : '#05080e'
  pen.strokeRect(box.left - 0.75, box.top - 0.75, box.right - box.left + 1.5, heightPx + 1.5)
}

export function barAt(hits: readonly BarHit[], x: number, y: number): string | null {
  return hits.findLast((hit) => x >= hit.left - 4 && x <= hit.right + 4 && y >= hit.top - 6 && y <= hit.bottom + 6)?.code ?? null
}

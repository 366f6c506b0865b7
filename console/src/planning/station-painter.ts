import type { ReadinessClass } from '@kawal/core/readiness/readiness.ts'
import type { Projection } from '../map/scene.ts'
import { classColour, hatch } from './area-painter.ts'

export interface StationMark {
  readonly kind: 'own' | 'neighbour' | 'way' | 'picked'
  readonly of: ReadinessClass | null
  readonly latitude: number
  readonly longitude: number
  readonly label: string
}

const rank: Readonly<Record<StationMark['kind'], number>> = { picked: 3, own: 2, way: 1, neighbour: 0 }

/** A station and what is around it: its own mark is ringed, a way out is a diamond, a new position a cross. */
export function paintStations(pen: CanvasRenderingContext2D, { project }: Projection, marks: readonly StationMark[]): void {
  pen.font = '600 11px system-ui, sans-serif'
  pen.textAlign = 'center'
  const named: { x: number; y: number; wide: number }[] = []
  // the station's own name first, so that it is never the one left out
  for (const mark of [...marks].sort((a, b) => rank[b.kind] - rank[a.kind])) {
    const { x, y } = project(mark.longitude, mark.latitude)
    const r = mark.kind === 'own' ? 10 : 7
    pen.lineWidth = 2
    pen.strokeStyle = '#05080e'
    if (mark.kind === 'picked') drawCross(pen, x, y)
    else if (mark.of === null) drawDiamond(pen, x, y)
    else drawClass(pen, mark.of, x, y, r)
    if (mark.kind === 'own') {
      pen.beginPath()
      pen.arc(x, y, r + 5, 0, Math.PI * 2)
      pen.strokeStyle = '#ffd166'
      pen.lineWidth = 3
      pen.stroke()
    }
    const wide = pen.measureText(mark.label).width / 2 + 2
    if (named.some((other) => Math.abs(other.x - x) < other.wide + wide && Math.abs(other.y - y) < 14)) continue
    named.push({ x, y, wide })
    pen.lineWidth = 3
    pen.strokeStyle = '#0e1420'
    pen.strokeText(mark.label, x, y + r + 15)
    pen.fillStyle = '#e8edf5'
    pen.fillText(mark.label, x, y + r + 15)
  }
}

function drawClass(pen: CanvasRenderingContext2D, of: ReadinessClass, x: number, y: number, r: number): void {
  pen.beginPath()
  if (of === 'c') {
    pen.moveTo(x, y - r)
    pen.lineTo(x + r, y + r * 0.8)
    pen.lineTo(x - r, y + r * 0.8)
    pen.closePath()
  } else if (of === 'd') pen.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7)
  else pen.arc(x, y, r, 0, Math.PI * 2)
  pen.fillStyle = of === 'unknown' ? hatch(pen) : of === 'b' ? '#0e1420' : classColour[of]
  pen.fill()
  pen.strokeStyle = of === 'e' || of === 'unknown' ? '#fff' : of === 'b' ? classColour.b : '#05080e'
  pen.stroke()
  if (of === 'b') {
    pen.beginPath()
    pen.arc(x, y, r, Math.PI / 2, Math.PI * 1.5)
    pen.fillStyle = classColour.b
    pen.fill()
  }
  if (of === 'e') drawCross(pen, x, y, r * 0.5)
}

function drawDiamond(pen: CanvasRenderingContext2D, x: number, y: number): void {
  pen.beginPath()
  pen.moveTo(x, y - 9)
  pen.lineTo(x + 7, y)
  pen.lineTo(x, y + 9)
  pen.lineTo(x - 7, y)
  pen.closePath()
  pen.fillStyle = '#e8edf5'
  pen.fill()
  pen.stroke()
}

function drawCross(pen: CanvasRenderingContext2D, x: number, y: number, r = 9): void {
  pen.beginPath()
  for (const side of [1, -1]) {
    pen.moveTo(x - r, y - r * side)
    pen.lineTo(x + r, y + r * side)
  }
  pen.strokeStyle = '#fff'
  pen.lineWidth = 3
  pen.stroke()
}

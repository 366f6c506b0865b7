import type { LiveArea, LiveDisturbance, StationRow } from '@kawal/contract/live.ts'
import type { Status } from '@kawal/core/kernel/status.ts'
import { hitOf, isTold, statusOf, totalOf, type Counts } from '../queue.ts'
import { hullOf, levelAt, stationZoom, type Projection, type Scene } from './scene.ts'

/** The palette; it survives the three kinds of colour blindness. */
const palette: Record<Status, string> = { ok: '#3b7dd8', watch: '#fff3b0', degraded: '#e09f3e', down: '#c1121f', unknown: '#6b7280' }
const sea = '#0e1420'
const white = '#ffffff'
const focus = '#ffd166'
/** Worst last, so that it is painted on top. */
const order: readonly Status[] = ['unknown', 'ok', 'watch', 'degraded', 'down']

export interface Hit { readonly kind: 'area' | 'station' | 'disturbance'; readonly key: string; readonly x: number; readonly y: number; readonly r: number }
type Pen = CanvasRenderingContext2D

/** One shape per status: disc, triangle, square, disc with a cross and white outline, hatched disc. */
function drawStatus(pen: Pen, status: Status, x: number, y: number, r: number): void {
  pen.lineWidth = Math.max(1, r / 5)
  pen.strokeStyle = sea
  pen.fillStyle = palette[status]
  pen.beginPath()
  if (status === 'watch') {
    pen.moveTo(x, y - r)
    pen.lineTo(x + r, y + r * 0.8)
    pen.lineTo(x - r, y + r * 0.8)
    pen.closePath()
  } else if (status === 'degraded') pen.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7)
  else pen.arc(x, y, r, 0, Math.PI * 2)
  if (status === 'unknown') {
    pen.fillStyle = sea
    pen.strokeStyle = '#9aa3b2'
    pen.fill()
    pen.stroke()
    pen.beginPath()
    for (const shift of [-0.45, 0.2, 0.85]) {
      pen.moveTo(x + r * (shift - 0.75), y + r * 0.6)
      pen.lineTo(x + r * (shift + 0.1), y - r * 0.6)
    }
    pen.stroke()
    return
  }
  if (status === 'down') pen.strokeStyle = white
  pen.fill()
  pen.stroke()
  if (status !== 'down') return
  pen.beginPath()
  for (const side of [1, -1]) {
    pen.moveTo(x - r * 0.45, y - r * 0.45 * side)
    pen.lineTo(x + r * 0.45, y + r * 0.45 * side)
  }
  pen.stroke()
}

const sprites = new Map<string, HTMLCanvasElement>()
function spriteOf(status: Status, r: number, ratio: number): HTMLCanvasElement {
  const key = `${status} ${r} ${ratio}`
  const known = sprites.get(key)
  if (known !== undefined) return known
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.ceil((r * 2 + 4) * ratio)
  const pen = canvas.getContext('2d')
  if (pen !== null) {
    pen.scale(ratio, ratio)
    drawStatus(pen, status, r + 2, r + 2, r)
  }
  sprites.set(key, canvas)
  return canvas
}

let hatch: CanvasPattern | null = null
function hatchOf(pen: Pen): CanvasPattern | string {
  if (hatch !== null) return hatch
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 6
  const small = canvas.getContext('2d')
  if (small === null) return palette.unknown
  small.fillStyle = '#2a3140'
  small.fillRect(0, 0, 6, 6)
  small.strokeStyle = '#9aa3b2'
  small.lineWidth = 1.3
  small.beginPath()
  for (const shift of [-3, 0, 3, 6]) {
    small.moveTo(shift - 1, 7)
    small.lineTo(shift + 7, -1)
  }
  small.stroke()
  hatch = pen.createPattern(canvas, 'repeat')
  return hatch ?? palette.unknown
}

/** Radius grows with the root of the stations, in px. */
function radiusOf(total: number, zoom: number): number {
  return Math.min(34, 12 + Math.sqrt(total) / (zoom < 5.5 ? 12 : 5))
}

function drawArea(pen: Pen, area: LiveArea, x: number, y: number, r: number, named: boolean): void {
  const counts = area.counts as Counts
  const total = totalOf(counts)
  let angle = -Math.PI / 2
  pen.beginPath()
  pen.arc(x, y, r + 1.5, 0, Math.PI * 2)
  pen.fillStyle = sea
  pen.fill()
  for (const status of [...order].reverse()) {
    if (counts[status] === 0) continue
    const next = angle + (counts[status] / total) * Math.PI * 2
    pen.beginPath()
    pen.arc(x, y, r, angle, next)
    pen.arc(x, y, r * 0.62, next, angle, true)
    pen.closePath()
    pen.fillStyle = status === 'unknown' ? hatchOf(pen) : palette[status]
    pen.fill()
    if (status === 'down' || status === 'watch' || status === 'degraded') {
      pen.strokeStyle = status === 'down' ? white : sea
      pen.lineWidth = 1
      pen.stroke()
    }
    angle = next
  }
  const hit = hitOf(counts)
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillStyle = hit > 0 ? white : '#b8c2d3'
  pen.font = `${hit > 0 ? '700' : '400'} ${Math.max(10, Math.min(14, r * 0.55))}px system-ui, sans-serif`
  pen.fillText(hit > 9999 ? `${Math.round(hit / 1000)}k` : String(hit), x, y + 0.5)
  if (named) label(pen, area.name, x, y + r + 9)
}

function label(pen: Pen, text: string, x: number, y: number): void {
  pen.font = '600 11px system-ui, sans-serif'
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.lineJoin = 'round'
  pen.lineWidth = 3
  pen.strokeStyle = sea
  pen.strokeText(text, x, y)
  pen.fillStyle = '#dfe6f1'
  pen.fillText(text, x, y)
}

/** Sure is a full line on a red ground; suspected is dashed, planned work dotted, and neither has a ground. */
function outline(pen: Pen, row: LiveDisturbance, selected: boolean): void {
  const isSure = isTold(row) && row.plannedWork === null
  pen.setLineDash(isSure ? [] : row.plannedWork === null ? [6, 5] : [2, 4])
  pen.lineWidth = selected ? 3.5 : 2
  pen.strokeStyle = selected ? focus : isSure ? white : '#b8c2d3'
  if (isSure) {
    pen.fillStyle = 'rgba(193, 18, 31, 0.16)'
    pen.fill()
  }
  pen.stroke()
  pen.setLineDash([])
}

function tracePath(pen: Pen, points: readonly { x: number; y: number }[]): void {
  pen.beginPath()
  for (const point of points) pen.lineTo(point.x, point.y)
  pen.closePath()
}

/** A hull round the stations on screen; else a diamond, and for what is only suspected a ring, whose size grows with the stations hit. */
function drawDisturbance(pen: Pen, row: LiveDisturbance, at: { x: number; y: number }, around: readonly { x: number; y: number }[], selected: boolean): number {
  const r = Math.min(60, 26 + Math.log2(row.stations.length + 1) * 3)
  if (around.length >= 3) tracePath(pen, hullOf(around.flatMap(({ x, y }) => [{ x: x - 12, y: y - 12 }, { x: x + 12, y: y - 12 }, { x: x + 12, y: y + 12 }, { x: x - 12, y: y + 12 }])))
  else if (row.stage === 'suspected') {
    pen.beginPath()
    pen.arc(at.x, at.y, r * 0.8, 0, Math.PI * 2)
  } else tracePath(pen, [{ x: at.x, y: at.y - r }, { x: at.x + r, y: at.y }, { x: at.x, y: at.y + r }, { x: at.x - r, y: at.y }])
  outline(pen, row, selected)
  return r
}

interface Frame { readonly pen: Pen; readonly projection: Projection; readonly ratio: number; readonly hits: Hit[] }
const isOnScreen = ({ projection }: Frame, x: number, y: number): boolean => x > -40 && y > -40 && x < projection.width + 40 && y < projection.height + 40

function paintAreas(frame: Frame, areas: readonly LiveArea[]): void {
  const { pen, projection, hits } = frame
  const level = levelAt(projection.zoom, new Set(areas.map((area) => area.level)))
  const rows = areas.filter((area) => area.level === level && totalOf(area.counts as Counts) > 0)
  rows.sort((a, b) => hitOf(a.counts as Counts) - hitOf(b.counts as Counts))
  const boxes: { x: number; y: number }[] = []
  const placed: { area: LiveArea; x: number; y: number; r: number; named: boolean }[] = []
  for (const area of rows.toReversed()) {
    if (area.latitude === null || area.longitude === null) continue
    const { x, y } = projection.project(area.longitude, area.latitude)
    if (!isOnScreen(frame, x, y)) continue
    const r = radiusOf(totalOf(area.counts as Counts), projection.zoom)
    const named = boxes.every((box) => Math.abs(box.x - x) > 90 || Math.abs(box.y - y) > 44)
    boxes.push({ x, y })
    placed.push({ area, x, y, r, named })
  }
  for (const { area, x, y, r, named } of placed.reverse()) {
    drawArea(pen, area, x, y, r, named)
    hits.push({ kind: 'area', key: area.code, x, y, r })
  }
}

function paintStations(frame: Frame, scene: Scene): void {
  const { pen, projection, hits, ratio } = frame
  const r = projection.zoom < 9.5 ? 4 : projection.zoom < 12 ? 6 : 9
  const byStatus = new Map<Status, StationRow[]>(order.map((status) => [status, []]))
  for (const row of scene.stations) byStatus.get(statusOf(row.status as string))?.push(row)
  for (const status of order) {
    const sprite = spriteOf(status, r, ratio)
    const size = sprite.width / ratio
    for (const row of byStatus.get(status) ?? []) {
      if (row.latitude === null || row.longitude === null) continue
      const { x, y } = projection.project(row.longitude, row.latitude)
      if (!isOnScreen(frame, x, y)) continue
      pen.drawImage(sprite, x - size / 2, y - size / 2, size, size)
      hits.push({ kind: 'station', key: row.code, x, y, r: r + 4 })
      if (row.code !== scene.station) continue
      pen.beginPath()
      pen.arc(x, y, r + 5, 0, Math.PI * 2)
      pen.lineWidth = 2
      pen.strokeStyle = white
      pen.stroke()
    }
  }
}

/** Paints everything but the land; gives back what can be picked, topmost last. */
export function paint(pen: Pen, scene: Scene, projection: Projection, ratio: number): Hit[] {
  const frame: Frame = { pen, projection, ratio, hits: [] }
  const near = projection.zoom >= stationZoom && scene.stations.length > 0
  const places = new Map<string, { x: number; y: number }>()
  if (near) {
    for (const row of scene.stations) {
      if (row.latitude !== null && row.longitude !== null) places.set(row.code, projection.project(row.longitude, row.latitude))
    }
  }
  for (const row of scene.disturbances) {
    if (row.latitude === null || row.longitude === null) continue
    const at = projection.project(row.longitude, row.latitude)
    const around = near ? row.stations.flatMap((code) => places.get(code) ?? []) : []
    if (!isOnScreen(frame, at.x, at.y) && around.length === 0) continue
    const r = drawDisturbance(pen, row, at, around, row.id === scene.selected)
    frame.hits.push({ kind: 'disturbance', key: row.id, x: at.x, y: at.y, r })
  }
  if (near) paintStations(frame, scene)
  else paintAreas(frame, scene.areas)
  return frame.hits
}

/** What lies under a point, topmost first. @param x,y CSS px */
export function pick(hits: readonly Hit[], x: number, y: number): Hit | null {
  return hits.findLast((hit) => (hit.x - x) ** 2 + (hit.y - y) ** 2 <= hit.r ** 2) ?? null
}

import land from 'virtual:land'
import { indonesia, type Bounds, type Surface, type SurfaceOptions } from './scene.ts'

const worldPx = 512
const zoomMin = 2
const zoomMax = 16

/** Web Mercator, 0..1 over the world. */
const mercatorX = (longitude: number): number => (longitude + 180) / 360
const mercatorY = (latitude: number): number => 0.5 - Math.log(Math.tan(Math.PI / 4 + (latitude * Math.PI) / 360)) / (2 * Math.PI)
const latitudeOf = (y: number): number => (Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) * 360) / Math.PI - 90

type Ring = readonly (readonly [number, number])[]

/** The same map where WebGL is missing: the land painted by Canvas 2D, moved by pointer, wheel and keys. */
export function openCanvas({ host, label, onMove, onPick }: SurfaceOptions): Surface {
  const canvas = document.createElement('canvas')
  canvas.className = 'base'
  canvas.tabIndex = 0
  canvas.setAttribute('role', 'img')
  canvas.setAttribute('aria-label', label)
  host.append(canvas)
  const pen = canvas.getContext('2d')
  const camera = { x: 0.5, y: 0.5, zoom: 4 }
  const scale = (): number => worldPx * 2 ** camera.zoom
  let asked = 0

  function trace(rings: readonly Ring[], fill: string, stroke: string | null): void {
    if (pen === null) return
    const size = scale()
    const left = host.clientWidth / 2 - camera.x * size
    const top = host.clientHeight / 2 - camera.y * size
    pen.beginPath()
    for (const ring of rings) {
      let first = true
      for (const [longitude, latitude] of ring) {
        const x = mercatorX(longitude) * size + left
        const y = mercatorY(latitude) * size + top
        if (first) pen.moveTo(x, y)
        else pen.lineTo(x, y)
        first = false
      }
      pen.closePath()
    }
    pen.fillStyle = fill
    pen.fill()
    if (stroke === null) return
    pen.strokeStyle = stroke
    pen.lineWidth = 0.8
    pen.stroke()
  }

  function draw(): void {
    asked = 0
    const ratio = Math.min(2, devicePixelRatio)
    canvas.width = host.clientWidth * ratio
    canvas.height = host.clientHeight * ratio
    pen?.scale(ratio, ratio)
    if (pen !== null) pen.fillStyle = '#0e1420'
    pen?.fillRect(0, 0, host.clientWidth, host.clientHeight)
    trace(land.others, '#151d2b', null)
    trace(land.own, '#222e42', '#4a5b78')
    onMove()
  }
  const redraw = (): void => {
    if (asked === 0) asked = requestAnimationFrame(draw)
  }
  function zoomAt(steps: number, px: number, py: number): void {
    const before = scale()
    const dx = px - host.clientWidth / 2
    const dy = py - host.clientHeight / 2
    const zoom = Math.min(zoomMax, Math.max(zoomMin, camera.zoom + steps))
    camera.x += dx / before - dx / (worldPx * 2 ** zoom)
    camera.y += dy / before - dy / (worldPx * 2 ** zoom)
    camera.zoom = zoom
    redraw()
  }
  function pan(dx: number, dy: number): void {
    camera.x -= dx / scale()
    camera.y -= dy / scale()
    redraw()
  }
  const zoomBy = (steps: number): void => zoomAt(steps, host.clientWidth / 2, host.clientHeight / 2)

  listenToHands(canvas, { pan, zoomAt, zoomBy, onPick })
  const fit = (bounds: Bounds): void => {
    const x = [mercatorX(bounds.west), mercatorX(bounds.east)] as const
    const y = [mercatorY(bounds.north), mercatorY(bounds.south)] as const
    camera.x = (x[0] + x[1]) / 2
    camera.y = (y[0] + y[1]) / 2
    const room = Math.min((host.clientWidth - 48) / (x[1] - x[0]), (host.clientHeight - 48) / (y[1] - y[0]))
    camera.zoom = Math.min(13, Math.max(zoomMin, Math.log2(Math.max(1, room) / worldPx)))
    redraw()
  }
  fit(indonesia)
  return {
    mode: 'canvas',
    projection() {
      const size = scale()
      return {
        width: host.clientWidth, height: host.clientHeight, zoom: camera.zoom,
        project: (longitude, latitude) => ({
          x: (mercatorX(longitude) - camera.x) * size + host.clientWidth / 2,
          y: (mercatorY(latitude) - camera.y) * size + host.clientHeight / 2,
        }),
      }
    },
    bounds() {
      const halfX = host.clientWidth / 2 / scale()
      const halfY = host.clientHeight / 2 / scale()
      return { west: (camera.x - halfX) * 360 - 180, east: (camera.x + halfX) * 360 - 180, south: latitudeOf(camera.y + halfY), north: latitudeOf(camera.y - halfY) }
    },
    center: () => ({ longitude: camera.x * 360 - 180, latitude: latitudeOf(camera.y) }),
    fit,
    zoomBy,
    resize: redraw,
    destroy() {
      cancelAnimationFrame(asked)
      canvas.remove()
    },
  }
}

interface Hands {
  readonly pan: (dx: number, dy: number) => void
  readonly zoomAt: (steps: number, x: number, y: number) => void
  readonly zoomBy: (steps: number) => void
  readonly onPick: (x: number, y: number) => void
}

/** Drag, pinch, wheel, click and keys on the canvas. */
function listenToHands(canvas: HTMLCanvasElement, hands: Hands): void {
  const down = new Map<number, { x: number; y: number }>()
  let travelled = 0
  const spread = (): number => {
    const [a, b] = [...down.values()]
    return a === undefined || b === undefined ? 0 : Math.hypot(a.x - b.x, a.y - b.y)
  }
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId)
    if (down.size === 0) travelled = 0
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY })
  })
  canvas.addEventListener('pointermove', (event) => {
    const last = down.get(event.pointerId)
    if (last === undefined) return
    const before = spread()
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY })
    travelled += Math.abs(event.offsetX - last.x) + Math.abs(event.offsetY - last.y)
    if (down.size === 1) hands.pan(event.offsetX - last.x, event.offsetY - last.y)
    else if (before > 0) hands.zoomAt(Math.log2(spread() / before), event.offsetX, event.offsetY)
  })
  const lift = (event: PointerEvent): void => {
    if (down.delete(event.pointerId) && event.type === 'pointerup' && travelled < 5) hands.onPick(event.offsetX, event.offsetY)
  }
  canvas.addEventListener('pointerup', lift)
  canvas.addEventListener('pointercancel', lift)
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault()
    hands.zoomAt(-event.deltaY / 400, event.offsetX, event.offsetY)
  }, { passive: false })
  const keys: Record<string, () => void> = {
    ArrowLeft: () => hands.pan(80, 0), ArrowRight: () => hands.pan(-80, 0), ArrowUp: () => hands.pan(0, 80), ArrowDown: () => hands.pan(0, -80),
    '+': () => hands.zoomBy(0.5), '=': () => hands.zoomBy(0.5), '-': () => hands.zoomBy(-0.5),
  }
  canvas.addEventListener('keydown', (event) => {
    const act = keys[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
}

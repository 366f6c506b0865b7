import { Map as GlMap, setWorkerUrl } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'
import land from 'virtual:land'
import { indonesia, type Bounds, type Surface, type SurfaceOptions } from './scene.ts'

const box = ({ west, south, east, north }: Bounds): [number, number, number, number] => [west, south, east, north]
const multi = (rings: readonly unknown[]): GeoJSON.Feature => ({
  type: 'Feature', properties: {}, geometry: { type: 'MultiPolygon', coordinates: rings.map((ring) => [ring]) as GeoJSON.Position[][][] },
})

/** The land by MapLibre; no glyphs, no sprites, no tiles from anywhere: it works on a closed network. */
export function openWebgl({ host, label, onMove, onPick }: SurfaceOptions): Surface {
  setWorkerUrl(workerUrl)
  const map = new GlMap({
    container: host,
    style: {
      version: 8,
      sources: {
        own: { type: 'geojson', data: multi(land.own) },
        others: { type: 'geojson', data: multi(land.others) },
      },
      layers: [
        { id: 'sea', type: 'background', paint: { 'background-color': '#0e1420' } },
        { id: 'others', type: 'fill', source: 'others', paint: { 'fill-color': '#151d2b' } },
        { id: 'own', type: 'fill', source: 'own', paint: { 'fill-color': '#222e42' } },
        { id: 'coast', type: 'line', source: 'own', paint: { 'line-color': '#4a5b78', 'line-width': 0.8 } },
      ],
    },
    bounds: box(indonesia),
    minZoom: 2,
    maxZoom: 16,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    renderWorldCopies: false,
    locale: { 'Map.Title': label },
  })
  map.touchZoomRotate.disableRotation()
  map.on('move', onMove)
  map.on('load', onMove)
  map.on('click', (event) => onPick(event.point.x, event.point.y))
  return {
    mode: 'webgl',
    projection: () => ({
      width: host.clientWidth, height: host.clientHeight, zoom: map.getZoom(),
      project: (longitude, latitude) => map.project([longitude, latitude]),
    }),
    bounds() {
      const now = map.getBounds()
      return { west: now.getWest(), south: now.getSouth(), east: now.getEast(), north: now.getNorth() }
    },
    center: () => ({ longitude: map.getCenter().lng, latitude: map.getCenter().lat }),
    fit: (bounds) => void map.fitBounds(box(bounds), { padding: 24, maxZoom: 13, animate: false }),
    zoomBy: (steps) => void map.jumpTo({ zoom: map.getZoom() + steps }),
    resize: () => void map.resize(),
    destroy: () => map.remove(),
  }
}

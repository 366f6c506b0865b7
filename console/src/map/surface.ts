import type { Surface, SurfaceOptions } from './scene.ts'

function hasWebgl(): boolean {
  try {
    const context = document.createElement('canvas').getContext('webgl2')
    context?.getExtension('WEBGL_lose_context')?.loseContext()
    return context !== null
  } catch {
    return false
  }
}

/** MapLibre where there is WebGL 2, else the Canvas 2D painter; each is a chunk of its own. */
export async function openSurface(options: SurfaceOptions, forceCanvas: boolean): Promise<Surface> {
  if (!forceCanvas && hasWebgl()) {
    try {
      const { openWebgl } = await import('./webgl.ts')
      return openWebgl(options)
    } catch {
      options.host.replaceChildren()
    }
  }
  const { openCanvas } = await import('./canvas.ts')
  return openCanvas(options)
}

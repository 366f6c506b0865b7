import type jsQR from 'jsqr'

/** Shape Detection API: Chromium on Android has it, in hardware; the others read with jsqr, which comes later. */
interface Detector { detect(image: CanvasImageSource): Promise<readonly { readonly rawValue: string }[]> }
type Detecting = { new (options: { formats: readonly string[] }): Detector; getSupportedFormats(): Promise<readonly string[]> }

export type CameraFault = 'denied' | 'missing' | 'busy'
type Reader = (image: HTMLVideoElement | HTMLCanvasElement) => Promise<string | null>

const every_ms = 200
/** What jsqr looks at: more pixels take a cheap phone seconds, fewer lose the QR. */
const side_max = 800
const faults: Readonly<Record<string, CameraFault>> = { NotAllowedError: 'denied', SecurityError: 'denied', NotFoundError: 'missing', OverconstrainedError: 'missing', NotReadableError: 'busy', AbortError: 'busy' }

async function createReader(): Promise<Reader> {
  const { BarcodeDetector: Detecting } = globalThis as { BarcodeDetector?: Detecting }
  if (Detecting !== undefined && (await Detecting.getSupportedFormats().catch((): readonly string[] => [])).includes('qr_code')) {
    const detector = new Detecting({ formats: ['qr_code'] })
    return async (image) => (await detector.detect(image).catch(() => []))[0]?.rawValue ?? null
  }
  const loaded = (await import('jsqr')).default as unknown as typeof jsQR | { default: typeof jsQR }
  const read = typeof loaded === 'function' ? loaded : loaded.default
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  return async (image) => {
    const [width, height] = image instanceof HTMLVideoElement ? [image.videoWidth, image.videoHeight] : [image.width, image.height]
    if (context === null || width === 0) return null
    const scale = Math.min(1, side_max / Math.max(width, height))
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
    context.drawImage(image, 0, 0, canvas.width, canvas.height)
    return read(context.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height)?.data ?? null
  }
}

/**
 * Looks through the camera until `take` says yes, or until stopped.
 * @param video where to show it, once it is on the page
 * @returns how to stop, or why there is no camera
 */
export async function openCamera(video: () => HTMLVideoElement | undefined, take: (text: string) => boolean): Promise<(() => void) | CameraFault> {
  if (navigator.mediaDevices === undefined) return 'missing'
  let stream: MediaStream
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  } catch (error) {
    return faults[(error as DOMException).name] ?? 'missing'
  }
  const reader = await createReader()
  const shown = video()
  let timer: ReturnType<typeof setTimeout> | undefined
  let looking = true
  const stop = (): void => {
    looking = false
    clearTimeout(timer)
    for (const track of stream.getTracks()) track.stop()
  }
  if (shown === undefined) {
    stop()
    return 'missing'
  }
  shown.srcObject = stream
  await shown.play().catch(() => undefined)
  const look = async (): Promise<void> => {
    const text = shown.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? await reader(shown) : null
    if (!looking) return
    if (text !== null && take(text)) return stop()
    timer = setTimeout(() => void look(), every_ms)
  }
  void look()
  return stop
}

/** A QR in a photo: for phones whose camera a page may not use, and for letters that came as a picture. */
export async function readPicture(file: Blob): Promise<string | null> {
  const bitmap = await createImageBitmap(file).catch(() => null)
  if (bitmap === null) return null
  const canvas = document.createElement('canvas')
  const scale = Math.min(1, (side_max * 2) / Math.max(bitmap.width, bitmap.height))
  canvas.width = Math.round(bitmap.width * scale)
  canvas.height = Math.round(bitmap.height * scale)
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  return (await createReader())(canvas)
}

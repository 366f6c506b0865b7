import { doubtsOf, lookAt, look_side_px, type Doubt } from '@kawal/core/recap/sharpness.ts'

/** A photo of a page as it goes out: small first, and what the camera gave. */
interface Taken {
  readonly preview: ArrayBuffer
  readonly original: ArrayBuffer
  readonly doubts: readonly Doubt[]
}

/** The spec's bound, and the sides that it is tried with: a form's digits stay readable at the least of them. */
const preview_bytes_max = 200_000
const preview_sides_px = [1_600, 1_280, 1_024, 800]
const qualities = [0.8, 0.65, 0.5]

/** Looks at a photo on the phone, and makes its preview. The original is kept as it came, its EXIF with it. @returns null for what is no picture */
export async function takeIn(file: File): Promise<Taken | null> {
  const image = await pictureOf(file)
  if (image === null) return null
  const looked = drawn(image, look_side_px)
  const preview = await previewOf(image)
  if (looked === null || preview === null) return null
  const { data, width, height } = looked.context.getImageData(0, 0, looked.canvas.width, looked.canvas.height)
  const grey = new Uint8ClampedArray(width * height)
  // Rec. 601
  for (let at = 0; at < grey.length; at++) grey[at] = 0.299 * (data[4 * at] as number) + 0.587 * (data[4 * at + 1] as number) + 0.114 * (data[4 * at + 2] as number)
  return { preview: await preview.arrayBuffer(), original: await file.arrayBuffer(), doubts: doubtsOf(lookAt(grey, width, height)) }
}

/** Turned as its EXIF says, by the browser. */
function pictureOf(file: File): Promise<HTMLImageElement | null> {
  return new Promise((resolve) => {
    const url = URL.createObjectURL(file)
    const image = new Image()
    image.onload = () => resolve(image)
    image.onerror = () => {
      URL.revokeObjectURL(url)
      resolve(null)
    }
    image.src = url
  })
}

function drawn(image: HTMLImageElement, side_px: number): { readonly canvas: HTMLCanvasElement; readonly context: CanvasRenderingContext2D } | null {
  const scale = Math.min(1, side_px / Math.max(image.naturalWidth, image.naturalHeight, 1))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale))
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale))
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) return null
  context.drawImage(image, 0, 0, canvas.width, canvas.height)
  return { canvas, context }
}

async function previewOf(image: HTMLImageElement): Promise<Blob | null> {
  let smallest: Blob | null = null
  for (const side_px of preview_sides_px) {
    const canvas = drawn(image, side_px)?.canvas
    if (canvas === undefined) return null
    for (const quality of qualities) {
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality))
      if (blob !== null && blob.size <= preview_bytes_max) return blob
      smallest = blob ?? smallest
    }
  }
  return smallest
}

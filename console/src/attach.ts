import type { GivenFile } from '@kawal/contract/file.ts'

/** As the server has it (contract/file.ts, whose schemas stay out of the pages): 5 MiB. */
export const fileBytesMax = 5 * 1024 * 1024

/** What browsers show in a page, and the server hands over to be shown (server/src/file.ts). */
export const isPicture = (mimeType: string): boolean => /^image\/(png|jpeg|webp|gif)$/.test(mimeType)

/** @returns a file as JSON carries it; rejects when it cannot be read: it was moved, or the browser may not */
export function givenFile(file: File): Promise<GivenFile> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onerror = () => reject(reader.error ?? new Error('unreadable'))
    reader.onload = () => resolve({ name: file.name, mimeType: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(file.type) ? file.type : 'application/octet-stream', content: String(reader.result).replace(/^[^,]*,/, '') })
    reader.readAsDataURL(file)
  })
}

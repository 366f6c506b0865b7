import { csv } from './format.ts'

/** Hands a table to the browser as a CSV file. */
export function saveCsv(name: string, header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const address = URL.createObjectURL(new Blob([csv(header, rows)], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 1000)
}

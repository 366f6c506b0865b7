/** The address is the view: what stands behind `#/` names the screen, and behind a second slash a part of it. */
const pages = { check: '', duty: 'tugas', signal: 'sinyal', more: 'lainnya', tps: 'tps', data: 'data', problem: 'lapor', training: 'panduan', battery: 'baterai', recap: 'rekap' } as const
export type Page = keyof typeof pages

/** Of the page of recaps: where another officer's record is taken in. */
export const carry_part = 'bawa'

export interface Route {
  readonly page: Page
  readonly part: string
}

/** An address of an older version, or a mistyped one, leads to the first screen rather than nowhere. */
export function readRoute(hash: string): Route {
  // The QR of somebody's record, opened by a phone's own camera.
  if (hash.startsWith('#rekap=')) return { page: 'recap', part: carry_part }
  const [, name = '', part = ''] = /^#\/([a-z]*)\/?([a-z0-9-]{0,40})$/.exec(hash) ?? []
  const page = (Object.keys(pages) as Page[]).find((each) => pages[each] === name) ?? 'check'
  return { page, part }
}

export const hashOf = (page: Page, part = ''): string => `#/${pages[page]}${part === '' ? '' : `/${part}`}`

/** What a letter gives; `kid` is the key that signs what the phone is to believe. */
export interface Letter { readonly station: string; readonly code: string; readonly kid: string | null }

/** The letter's link, `#tps=...&kode=...&kunci=...`; also as a query, as rehearsals print it. */
export function readLetter(address: { readonly hash: string; readonly search: string }): Letter | null {
  const read = (text: string): Letter | null => {
    const values = new URLSearchParams(text)
    const [station, code] = [values.get('tps'), values.get('kode')]
    return station === null && code === null ? null : { station: station ?? '', code: code ?? '', kid: values.get('kunci') }
  }
  return (address.hash.startsWith('#/') ? null : read(address.hash.slice(1))) ?? read(address.search.slice(1))
}

/** The letter's secret stays neither in the address, where a picture of the screen shows it, nor in the history. */
export function dropLetter(): void {
  if (!location.hash.includes('kode=') && !location.search.includes('kode=')) return
  const query = new URLSearchParams(location.search)
  for (const name of ['tps', 'kode', 'kunci']) query.delete(name)
  history.replaceState(null, '', `${location.pathname}${query.toString() === '' ? '' : `?${query}`}#/`)
}

/** What a QR of the letter holds: its link, or nothing of ours. */
export function readLetterText(text: string): Letter | null {
  try {
    return readLetter(new URL(text))
  } catch {
    return null
  }
}

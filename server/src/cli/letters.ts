import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatLetterCode } from '@kawal/core/measurement/letter.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { connect, migrate } from '../adapters/postgres/database.ts'
import { csvLines } from '../readiness/ask.ts'
import { lettersPage, type Letter } from '../sigmon/letters.ts'
import { readLetters } from '../sigmon/read-letters.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

const loopback = ['127.0.0.1', 'localhost', '[::1]']
const warning = 'These are secrets: whoever reads a code can report for its station. Print them where nobody looks on, keep no copy, delete the files afterwards.\n'

/** Whose letters `--for` asks for: KPU's are its officers', Bawaslu's its supervisors'. */
export function roleFor(options: Options): Side {
  const whose = options['for'] ?? 'kpu'
  if (whose !== 'kpu' && whose !== 'bawaslu') throw new CommandFailure(exits.usage, `--for takes kpu (letters of officers) or bawaslu (letters of supervisors), not ${whose}.`)
  return whose === 'kpu' ? 'officer' : 'supervisor'
}

/** `kawal export letters`: a page to print for each village, or CSV for the letters that KPU or Bawaslu prints itself. */
export async function exportLetters(options: Options): Promise<void> {
  const { area, out } = options
  const format = options['format'] ?? 'html'
  if (format !== 'html' && format !== 'csv') throw new CommandFailure(exits.usage, `--format of letters is html or csv, not ${format}.`)
  if (area === undefined || !/^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10}|[0-9]{13})$/.test(area))
    throw new CommandFailure(exits.usage, `--area takes the code of a province, regency, district, village or station, not ${area ?? 'nothing'}.`)
  const role = roleFor(options)
  const url = addressOf(options['url'])
  const asRows = format === 'csv' || options['json'] !== undefined
  if (!asRows && out === undefined) throw new CommandFailure(exits.usage, '--out FOLDER says where the pages go: one file for each village. Or take --format csv.')
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      process.stderr.write(warning)
      const letters = readLetters(database, area, url, role)
      // secrets that leave are an action, though nothing is changed
      const count = await audited(server, `export letters --area ${area}${typed(options, ['for', 'format', 'out'])}`, () => (asRows ? writeRows(letters, options['json'] !== undefined) : writePages(letters, url, out ?? '', role)))
      if (count === 0) throw new CommandFailure(exits.rejected, `The register has no stations in ${area}.`)
      process.stderr.write(`${count} letters${asRows ? '' : ` in ${out}`}\n`)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

/** Phones keep an app from a secure origin only; on loopback everything may be tried. */
function addressOf(text: string | undefined): string {
  const found = text === undefined || !URL.canParse(text) ? null : new URL(text)
  if (found === null || !(found.protocol === 'https:' || (found.protocol === 'http:' && loopback.includes(found.hostname))) || found.search !== '' || found.hash !== '')
    throw new CommandFailure(exits.usage, `--url takes the address at which phones find the server, such as https://kawal.example, not ${text ?? 'nothing'}.`)
  return found.href.replace(/\/+$/, '')
}

async function writePages(letters: AsyncIterable<Letter[]>, url: string, folder: string, role: Side): Promise<number> {
  let count = 0
  for await (const village of letters) {
    const [first] = village
    if (first === undefined) continue
    const name = first.village.normalize('NFKD').replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '').toLowerCase()
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(join(folder, `${first.station.slice(0, 10)}-${name}.html`), lettersPage(`${role === 'officer' ? 'Kode petugas' : 'Kode Pengawas TPS'} ${first.village}, ${first.district}`, url, village, role), { mode: 0o600 })
    } catch (error) {
      throw new CommandFailure(exits.rejected, `${folder} cannot be written: ${(error as Error).message}. Name another folder with --out.`)
    }
    count += village.length
  }
  return count
}

async function writeRows(letters: AsyncIterable<Letter[]>, json: boolean): Promise<number> {
  let count = 0
  const rows = (async function* () {
    for await (const village of letters) for (const { code, ...letter } of village) {
      count++
      yield { ...letter, code: formatLetterCode(code) }
    }
  })()
  if (!json) for await (const line of csvLines(['station', 'village', 'district', 'regency', 'province', 'code', 'link'], rows)) process.stdout.write(line)
  else {
    const all: object[] = []
    for await (const row of rows) all.push(row)
    process.stdout.write(`${JSON.stringify({ letters: all })}\n`)
  }
  return count
}

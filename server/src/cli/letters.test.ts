import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const program = join(import.meta.dirname, 'kawal.ts')
const folder = mkdtempSync(join(tmpdir(), 'kawal-letters-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function kawal(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, LOG_LEVEL: 'error' } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

test('letters: a page a village that only its owner reads, or CSV; what is asked wrongly is told', async () => {
  const wrongly: [string[], RegExp][] = [
    [['--url', 'https://kawal.example'], /--area takes the code/], [['--area', '53', '--out', 'x'], /--url takes the address/], [['--area', '53', '--out', 'x', '--url', 'http://kawal.example'], /https:/],
    [['--area', '53', '--url', 'https://kawal.example'], /--out FOLDER/], [['--area', '53', '--url', 'https://kawal.example', '--format', 'pdf'], /html or csv/],
  ]
  for (const [args, sentence] of wrongly) {
    const { code, out, err } = await kawal('export', 'letters', ...args)
    assert.deepEqual([code, out], [2, ''], err)
    assert.match(err, sentence)
  }
  const register = join(folder, 'register')
  mkdirSync(register)
  writeFileSync(join(register, 'regions.csv'), 'code,level,name,parent\n53,province,NUSA TENGGARA TIMUR,\n5301,regency,KUPANG,53\n530101,district,SEMAU,5301\n5301012001,village,UITIUH TUAN,530101\n5301012002,village,HUILELOT,530101\n')
  writeFileSync(join(register, 'villages.csv'), 'code,lat,lon,position,tps_regular\n5301012001,-10.2,123.4,inside,3\n5301012002,-10.21,123.41,inside,1\n')
  assert.equal((await kawal('import', 'register', register)).code, 0)
  const pages = await kawal('export', 'letters', '--area', '530101', '--url', 'https://kawal.example/', '--out', 'letters')
  assert.deepEqual([pages.code, pages.out], [0, ''])
  assert.match(pages.err, /These are secrets/)
  assert.match(pages.err, /4 letters in letters/)
  const files = readdirSync(join(folder, 'letters')).sort()
  assert.deepEqual(files, ['5301012001-uitiuh-tuan.html', '5301012002-huilelot.html'])
  for (const file of files) assert.equal(statSync(join(folder, 'letters', file)).mode & 0o777, 0o600)
  assert.equal(statSync(join(folder, 'letters')).mode & 0o777, 0o700)
  const { out, code } = await kawal('export', 'letters', '--area', '5301012001', '--url', 'https://kawal.example', '--format', 'csv')
  const [head, ...rows] = out.trimEnd().split('\n')
  assert.deepEqual([code, head, rows.length], [0, 'station,village,district,regency,province,code,link', 3])
  const page = readFileSync(join(folder, 'letters', files[0] ?? ''), 'utf8')
  for (const row of rows) assert.ok(page.includes(`<b>${row.split(',')[5]}</b>`), row)
  const codes = JSON.parse((await kawal('export', 'codes', '--json')).out) as { codes: { station: string; code: string }[] }
  assert.ok(rows.every((row) => codes.codes.some(({ station, code: shown }) => row.startsWith(`${station},`) && row.includes(shown))))
  const { keys } = JSON.parse((await kawal('export', 'keys', '--json')).out) as { keys: { kid: string }[] }
  assert.ok(rows.every((row) => row.endsWith(`kunci=${keys[0]?.kid}`)))
  assert.equal((await kawal('export', 'letters', '--area', '99', '--url', 'https://kawal.example', '--format', 'csv')).code, 3)
  writeFileSync(join(folder, 'settings.json'), '{"intervalS": 5}')
  const refused = await kawal('serve', '--sigmon', 'settings.json')
  assert.deepEqual([refused.code, refused.out], [3, ''])
  assert.match(refused.err, /settings\.json: intervalS .*: 5\. It takes integer from 30 to 3600/)
})

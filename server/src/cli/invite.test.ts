import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandsIn } from '@kawal/testkit/command.ts'

const { folder, program, kawal, json } = commandsIn('invite')
const write = (name: string, lines: readonly string[]): void => writeFileSync(join(folder, name), `\uFEFF${lines.join('\r\n')}\r\n`)

test('what is asked wrongly is told before anything starts', async () => {
  write('good.csv', ['organisation;name;contact;email;phone;level', 'maju-net;PT Maju Net;Piket NOC;;08110000001;1'])
  write('bare.csv', ['organisation;name', 'maju-net;PT Maju Net'])
  write('empty.csv', ['organisation;name;contact;email;phone;level'])
  const wrongly: readonly (readonly [string[], number, RegExp])[] = [
    [['invite'], 2, /missing required argument 'file'/], [['invite', 'nowhere.csv'], 3, /nowhere\.csv: it cannot be read/], [['invite', '.'], 3, /cannot be read/], [['invite', 'good.csv', '--url', 'kawal'], 2, /--url takes the address/],
    [['invite', 'bare.csv'], 3, /lacks the column "contact", .*organisation, name, kind, contact, email, phone, level/], [['invite', 'empty.csv'], 3, /it has no rows/], [['toString'], 2, /unknown command 'toString'/], [['list', '--scope', 'read'], 2, /unknown option '--scope'/], [['key'], 2, /missing required argument 'organisation'/],
  ]
  for (const [args, code, sentence] of wrongly) {
    const ended = await kawal('org', ...args, '--data', 'none')
    assert.deepEqual([ended.code, ended.out], [code, ''], ended.err)
    assert.match(ended.err, sentence)
    assert.doesNotMatch(ended.err, /\n\s+at /)
  }
  assert.equal(existsSync(join(folder, 'none')), false)
})

interface Invitations { dryRun: boolean; added: { organisation: string; contacts: number; link: string | null; key?: string | null }[]; known: number; contacts: { added: number; known: number }; rejected: { line: number; wrong: string; mend: string }[] }

test('a thousand ISPs with 20 bad rows, dry, then in earnest, then again; the mended rows; the directory', async () => {
  const good = Array.from({ length: 1_000 }, (_, nth) => [`isp-${nth};PT ISP ${nth};Piket NOC;noc@isp-${nth}.example;0811${String(nth).padStart(7, '0')};1`, `isp-${nth};PT ISP ${nth};Kepala NOC;;+62812${String(nth).padStart(7, '0')};2`]).flat()
  const bad = Array.from({ length: 20 }, (_, nth) => `${nth % 2 === 0 ? `isp-${nth}` : `baru-${nth}`};PT ISP ${nth};Manajer ${nth};;811${String(nth).padStart(7, '0')};3`)
  const lines = ['organisation;name;contact;email;phone;level', ...good]
  for (const [nth, line] of bad.entries()) lines.splice(1 + nth * 100, 0, line.replace(`PT ISP ${nth};`, nth % 2 === 0 ? `PT ISP ${nth};` : `PT Baru ${nth};`))
  write('isps.csv', lines)

  const dry = await kawal('org', 'invite', 'isps.csv', '--dry-run', '--json')
  const would = JSON.parse(dry.out) as Invitations
  assert.deepEqual([dry.code, would.dryRun, would.added.length, would.added.every(({ link }) => link === null), would.contacts.added, would.rejected.length], [3, true, 1_000, true, 2_000, 20], dry.err)
  assert.match(dry.err, /1000 would be added.*\n(line .*\n){20}20 rows would be rejected\. Nothing was written\./)
  assert.equal(existsSync(join(folder, 'isps.rejected.csv')), false)
  assert.equal((await json<{ organisations: object[] }>('org', 'list')).organisations.length, 10)

  const first = await kawal('org', 'invite', 'isps.csv', '--url', 'https://kawal.example/')
  const [head, ...links] = first.out.trimEnd().split('\n')
  assert.deepEqual([first.code, head, links.length], [3, 'organisation,contacts,link', 1_000], first.err)
  for (const line of links) assert.match(line, /^isp-[0-9]+,2,https:\/\/kawal\.example\/console\/\?masuk=[\w-]{32}$/)
  assert.equal(new Set(links.map((line) => line.split('=')[1])).size, 1_000)
  for (const sentence of [/These are secrets/, /100 % inviting/, /1000 added, 0 were there; 2000 contacts added/, /line 2: "8110000000" is no phone number\. Mend it: write \+628110000000/, /20 rows were rejected: mend them in isps\.rejected\.csv/]) assert.match(first.err, sentence)
  const list = join(folder, 'isps.rejected.csv')
  assert.equal(statSync(list).mode & 0o777, 0o600)
  const rejected = readFileSync(list, 'utf8').trimEnd().split('\n')
  assert.deepEqual([rejected.length, rejected[0]], [21, 'line,wrong,mend,organisation,name,kind,contact,email,phone,level'])

  const again = await kawal('org', 'invite', 'isps.csv', '--keys')
  assert.deepEqual([again.code, again.out], [3, 'organisation,contacts,link,key\n'], again.err)
  assert.match(again.err, /0 added, 1000 were there; 0 contacts added, 2000 were there/)
  assert.equal((await json<{ organisations: object[] }>('org', 'list')).organisations.length, 1_010)

  writeFileSync(list, rejected.map((line) => line.replace(/,811([0-9]{7}),3$/, ",'+62811$1,3")).join('\n'))
  const mended = await json<Invitations>('org', 'invite', 'isps.rejected.csv', '--keys')
  assert.deepEqual([mended.added.length, mended.known, mended.contacts.added, mended.rejected], [10, 10, 20, []])
  assert.ok(mended.added.every(({ key }) => key?.startsWith('kawal-key-') === true))

  const { contacts } = await json<{ contacts: { organisation: string; level: number; phone: string }[] }>('org', 'contacts')
  assert.equal(contacts.length, 2_020)
  const one = await kawal('org', 'contacts', 'isp-0')
  assert.deepEqual(one.out.trimEnd().split('\n').map((line) => line.split(/\s+/).slice(0, 3)), [['isp-0', '1', '+628110000000'], ['isp-0', '2', '+628120000000'], ['isp-0', '3', '+628110000000']])
  assert.match((await kawal('org', 'contacts', 'nobody')).err, /no organisation nobody/)
  assert.equal((await kawal('org', 'contacts', 'kpu')).out, 'No duty contacts.\n')
  const { counts } = await json<{ counts: object }>('org', 'completeness')
  assert.deepEqual(counts, { organisations: 1_016, complete: 1_000, no_contact: 6, no_first_level: 10, one_person_only: 10, no_phone: 0 })
  const told = (await kawal('org', 'completeness')).out.trimEnd().split('\n')
  assert.deepEqual([told.length, told.at(-1)], [1_017, '1016 organisations, 1000 complete; no_contact 6, no_first_level 10, one_person_only 10, no_phone 0'])
  assert.ok(told.some((line) => /^baru-1\s+no_first_level one_person_only$/.test(line)))
})

test('when nobody reads the links any more, no more are made; at Ctrl-C those that were made are shown', async () => {
  write('many.csv', ['organisation;name;contact;email;phone;level', ...Array.from({ length: 3_000 }, (_, nth) => `mitra-${nth};PT Mitra ${nth};Piket NOC;;08110000001;1`)])
  const there = async (): Promise<number> => (await json<{ organisations: { id: string }[] }>('org', 'list', '--data', 'other')).organisations.filter(({ id }) => id.startsWith('mitra-')).length
  const begun = (...args: string[]) => spawn(process.execPath, [program, 'org', 'invite', 'many.csv', '--data', 'other', ...args], { cwd: folder })
  const deaf = begun()
  deaf.stdout.once('data', () => deaf.stdout.destroy())
  let err = ''
  deaf.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  assert.equal(await new Promise((resolve) => deaf.once('close', resolve)), 6, err)
  assert.match(err, /Nobody reads the links any more: [0-9]+ organisations were not invited/)
  const before = await there()
  assert.ok(before < 1_500, `${before} organisations`)
  const stopped = begun('--json')
  let out = ''
  stopped.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  stopped.stderr.setEncoding('utf8').on('data', (text: string) => text.includes('50 % inviting') && stopped.kill('SIGINT'))
  assert.equal(await new Promise((resolve) => stopped.once('close', resolve)), 130)
  const shown = (JSON.parse(out) as Invitations).added
  assert.ok(shown.length > 0 && before + shown.length < 3_000, `${before} and ${shown.length} organisations`)
  assert.equal(await there() - before, shown.length)
  assert.ok(shown.every(({ link }) => link !== null))
})
